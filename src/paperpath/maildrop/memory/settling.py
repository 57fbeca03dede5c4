"""How the model's recipients end, come back later, or are told of as late."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from paperpath.mail.outcome import Deferred, Delivered, Discarded, Failed, Forwarded, Outcome, SetAside
from paperpath.maildrop.memory.arrivals import accept_reports
from paperpath.maildrop.memory.store import MemoryStore, StoredRecipient
from paperpath.maildrop.values import MOST_LOOKED_AT, Settlement, State, Transport, Warned


def settle(
    store: MemoryStore, settlements: Sequence[Settlement], may: Callable[[StoredRecipient], bool]
) -> int:
    """Record outcomes for recipients that may be settled, and accept their reports; give how many."""
    settled, reports = 0, []
    for settlement in settlements:
        recipient = store.recipients.get(settlement.recipient_id)
        if recipient is None or recipient.state is State.SETTLED or not may(recipient):
            continue
        settled += 1
        reports.append(settlement.report)
        _record(store, settlement.recipient_id, recipient, settlement.outcome)
    accept_reports(store, reports)
    return settled


def find_late(store: MemoryStore, arrived_before_us: int, after: int, limit: int) -> list[int]:
    """Return ready recipients whose delay is to be reported, among the first there are."""
    unreported = [
        (number, recipient)
        for number, recipient in store.in_state(State.READY)
        if number > after and not recipient.warned
    ]
    return [
        number
        for number, recipient in unreported[:MOST_LOOKED_AT]
        if store.messages[recipient.message_id].arrived_us < arrived_before_us
    ][:limit]


def warn(store: MemoryStore, warnings: Sequence[Warned]) -> int:
    """Mark open recipients as warned, and accept the reports."""
    warned, reports = 0, []
    for warning in warnings:
        recipient = store.recipients.get(warning.recipient_id)
        if recipient is None or recipient.state is State.SETTLED or recipient.warned:
            continue
        warned += 1
        reports.append(warning.report)
        store.change(warning.recipient_id, warned=True)
    accept_reports(store, reports)
    return warned


def _record(store: MemoryStore, number: int, recipient: StoredRecipient, outcome: Outcome) -> None:
    attempts = recipient.attempts + (recipient.state is State.CLAIMED)
    attempted = replace(recipient, worker=None, attempts=attempts, last_reply=str(outcome.reply))
    match outcome:
        case Deferred(_, due_us, uncertain):
            tried = recipient.tried or uncertain
            store.recipients[number] = replace(attempted, state=State.READY, due_us=due_us, tried=tried)
        case SetAside():
            store.recipients[number] = replace(attempted, state=State.HELD)
        case Delivered():
            is_remote = attempted.transport is Transport.REMOTE
            store.close(number, attempted, "relayed" if is_remote else "delivered")
        case Failed():
            store.close(number, attempted, "failed")
        case Discarded():
            store.close(number, attempted, "discarded")
        case Forwarded():
            store.close(number, attempted, "expanded")
