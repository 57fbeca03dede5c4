"""How the model's workers get recipients, give them back, and lose them by dying."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from paperpath.maildrop.memory.reading import describe
from paperpath.maildrop.memory.store import MemoryStore, StoredRecipient, is_over
from paperpath.maildrop.values import (
    MOST_LOOKED_AT,
    UNIT_RECIPIENTS,
    Claim,
    Overdue,
    Rooms,
    State,
    Transport,
)

# Recipients that are claimed together, of one destination.
_Unit = list[int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a worker asks for; of which destination it had the last."""

    transport: Transport
    limit: int
    now_us: int
    rooms: Rooms
    served: int = 0


def claim_ready(store: MemoryStore, worker: int, wanted: Wanted) -> tuple[Claim, ...]:
    """Claim what is due, a unit of each destination in turn."""
    queues = [list(_units(store, name, wanted)) for name in _in_turn(store, wanted)]
    chosen: _Unit = []
    while (queues := [queue for queue in queues if queue]) and len(chosen) < wanted.limit:
        for queue in queues:
            if len(chosen) < wanted.limit:
                chosen.extend(queue.pop(0))
    for number in chosen:
        recipient = store.recipients[number]
        way = wanted.transport, recipient.destination
        if store.destinations[way].until_us is not None:
            store.destinations[way] = replace(store.destinations[way], probe=number)
    return _claim(store, worker, chosen)


def claim_overdue(
    store: MemoryStore, worker: int, way: tuple[Transport, str], overdue: Overdue, limit: int
) -> tuple[Claim, ...]:
    """Claim what is ready for a destination, and whose time is over."""
    ready = sorted(
        (recipient.due_us, number)
        for number, recipient in store.in_state(State.READY)
        if (recipient.transport, recipient.destination) == way
    )
    looked_at = [number for _, number in ready[:MOST_LOOKED_AT]]
    chosen = [number for number in looked_at if _is_overdue(store, store.recipients[number], overdue)]
    return _claim(store, worker, chosen[:limit])


def give_back(store: MemoryStore, worker: int, recipient_ids: Sequence[int]) -> int:
    """Make a worker's claims ready as they were."""
    ours = [
        number
        for number, recipient in store.in_state(State.CLAIMED)
        if recipient.worker == worker and number in recipient_ids
    ]
    for number in ours:
        store.change(number, state=State.READY, worker=None)
    return len(ours)


def release_dead(store: MemoryStore) -> int:
    """Make the claims of dead workers ready, marked as tried."""
    dead = [
        (number, recipient)
        for number, recipient in store.in_state(State.CLAIMED)
        if recipient.worker not in store.living
    ]
    for number, recipient in dead:
        store.change(number, state=State.READY, worker=None, tried=True)
        if recipient.transport is not None:
            store.on_work(recipient.transport.stage)
    return len(dead)


def _in_turn(store: MemoryStore, wanted: Wanted) -> list[str]:
    """List destinations by number, beginning behind the one served last."""
    known = [
        (destination.number <= wanted.served, destination.number, name)
        for (transport, name), destination in store.destinations.items()
        if transport is wanted.transport
    ]
    return [name for _, _, name in sorted(known)]


def _units(store: MemoryStore, destination: str, wanted: Wanted) -> Iterator[_Unit]:
    """Give the units that may be claimed for a destination, by their longest due."""
    waiting = sorted(
        (recipient.due_us > wanted.now_us, recipient.due_us, number)
        for number, recipient in store.in_state(State.READY)
        if (recipient.transport, recipient.destination) == (wanted.transport, destination)
        and is_over(recipient.due_us, wanted.now_us)
    )
    numbers = [number for _, _, number in waiting]
    for _ in range(min(len(numbers), _room(store, destination, wanted))):
        if numbers:
            unit = _unit(store, numbers, wanted.transport)
            yield unit
            numbers = [number for number in numbers if number not in unit]


def _unit(store: MemoryStore, numbers: Sequence[int], transport: Transport) -> _Unit:
    """Return what goes with the first of those that are due, as a rule the first itself."""
    if transport is Transport.LOCAL:
        return [numbers[0]]
    alike = _likeness(store.recipients[numbers[0]])
    return [number for number in sorted(numbers) if _likeness(store.recipients[number]) == alike][
        :UNIT_RECIPIENTS
    ]


def _likeness(recipient: StoredRecipient) -> tuple[object, ...]:
    return recipient.message_id, recipient.return_path


def _room(store: MemoryStore, destination: str, wanted: Wanted) -> int:
    """Tell how many units may be claimed for a destination."""
    room = wanted.rooms.of(destination)
    known = store.destinations[wanted.transport, destination]
    if known.until_us is None:
        return room
    probe = store.recipients.get(known.probe or 0)
    is_probed = probe is not None and probe.state is State.CLAIMED
    return min(1, room) if is_over(known.until_us, wanted.now_us) and not is_probed else 0


def _is_overdue(store: MemoryStore, recipient: StoredRecipient, overdue: Overdue) -> bool:
    if 0 < overdue.most_attempts <= store.attempts_for(recipient):
        return True
    if recipient.deadline_us:
        return recipient.deadline_us <= overdue.now_us
    return store.messages[recipient.message_id].arrived_us < overdue.arrived_before_us


def _claim(store: MemoryStore, worker: int, numbers: Sequence[int]) -> tuple[Claim, ...]:
    for number in numbers:
        store.change(number, state=State.CLAIMED, worker=worker)
    return tuple(describe(store, number) for number in numbers)
