"""What an operator does to the model's recipients, and whoever delivers to its destinations."""

from collections.abc import Sequence

from paperpath.maildrop.memory.store import MemoryStore, is_unclaimed
from paperpath.maildrop.values import (
    Deed,
    Hold,
    Release,
    Remove,
    Reroute,
    Retry,
    State,
    Suspension,
    Transport,
)


def carry_out(store: MemoryStore, number: int, deed: Deed) -> bool:
    """Carry out a deed on one recipient; tell whether that changed it."""
    recipient = store.recipients.get(number)
    if recipient is None or not is_unclaimed(recipient.state):
        return False
    match deed:
        case Hold(reason) if recipient.state is not State.HELD:
            store.change(number, state=State.HELD, last_reply=reason)
        case Release() if recipient.state is State.HELD:
            store.reopen(number)
        case Retry(now_us) if recipient.state is State.READY and recipient.transport is not None:
            store.change(number, due_us=now_us)
            resume(store, recipient.transport, recipient.destination)
        case Remove():
            store.close(number, recipient, "removed")
        case Reroute(route):
            store.change(number, route_override=route)
            store.reopen(number)
        case _:
            return False
    return True


def suspend(store: MemoryStore, transport: Transport, name: str, until_us: int, reason: str) -> None:
    """Note a failed contact."""
    known = store.know(transport, name)
    store.destinations[transport, name] = known.suspended(until_us, reason)


def resume(store: MemoryStore, transport: Transport, name: str) -> None:
    """Have a destination claimed for as any other."""
    if (known := store.destinations.get((transport, name))) is not None:
        store.destinations[transport, name] = known.resumed()
    store.on_work(transport.stage)


def read_suspensions(store: MemoryStore, transport: Transport) -> Sequence[Suspension]:
    """Return the destinations that are suspended."""
    return [
        Suspension(name, known.until_us, known.reason, known.failures)
        for (way, name), known in store.destinations.items()
        if way is transport and known.until_us is not None
    ]


def sweep_destinations(store: MemoryStore, before_us: int, limit: int) -> int:
    """Forget destinations that nobody needs; here any number of recipients is looked at."""
    named = {(recipient.transport, recipient.destination) for recipient in store.recipients.values()}
    unneeded = [
        way
        for way, known in store.destinations.items()
        if way not in named and (known.until_us is None or known.until_us < before_us)
    ]
    for way in unneeded[:limit]:
        del store.destinations[way]
    return len(unneeded[:limit])
