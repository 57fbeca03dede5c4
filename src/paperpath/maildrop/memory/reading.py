"""What is seen of the model: by who claims, and by an operator."""

from collections.abc import Sequence

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.envelope import Client
from paperpath.maildrop.memory.store import MemoryStore, StoredDestination, StoredRecipient
from paperpath.maildrop.values import (
    Books,
    Claim,
    Claimed,
    Damaged,
    QueueEntry,
    QueueFilter,
    QueueSummary,
    State,
    Transport,
)


def describe(store: MemoryStore, number: int) -> Claim:
    """Return a recipient with its message, as who claims it gets it."""
    recipient = store.recipients[number]
    return Claim(
        number,
        store.messages[recipient.message_id],
        recipient.address,
        recipient.accepted_address,
        recipient.return_path,
        recipient.destination,
        recipient.tried,
        store.attempts_for(recipient),
        recipient.notify,
        recipient.orcpt,
        recipient.deadline_us,
        recipient.warned,
        recipient.expanded_via,
    )


def examine(store: MemoryStore, recipient_ids: Sequence[int]) -> Claimed:
    """Return recipients as a claim would."""
    gone = (Damaged(number, "", "it is gone") for number in recipient_ids if number not in store.recipients)
    there = (describe(store, number) for number in recipient_ids if number in store.recipients)
    return Claimed(tuple(there), tuple(gone))


def browse(store: MemoryStore, user: str | None, after: tuple[int, int], limit: int) -> Sequence[QueueEntry]:
    """Return open recipients, message by message."""
    places = sorted(
        (recipient.message_id, number)
        for number, recipient in store.recipients.items()
        if recipient.state is not State.SETTLED and _is_of(store.messages[recipient.message_id].client, user)
    )
    behind = [number for message_id, number in places if (message_id, number) > after]
    return [_entry(store, number, store.recipients[number]) for number in behind[:limit]]


def find(store: MemoryStore, wanted: QueueFilter, after: int, limit: int) -> Sequence[QueueEntry]:
    """Return open recipients that match."""
    entries = (
        _entry(store, number, recipient)
        for number, recipient in sorted(store.recipients.items())
        if number > after and recipient.state is not State.SETTLED
    )
    return [entry for entry in entries if _matches(entry, wanted)][:limit]


def summarize(store: MemoryStore) -> Sequence[QueueSummary]:
    """Count open recipients by state and destination."""
    groups: dict[tuple[State, Transport | None, str], list[int]] = {}
    for recipient in store.recipients.values():
        if recipient.state is not State.SETTLED:
            by = recipient.state, recipient.transport, recipient.destination
            groups.setdefault(by, []).append(store.messages[recipient.message_id].arrived_us)
    return [_summary(store, *by, arrivals) for by, arrivals in groups.items()]


def read_books(store: MemoryStore) -> Books:
    """Count."""
    counts = store.counts
    states = [recipient.state for recipient in store.recipients.values()]
    return Books(
        counts.accepted,
        counts.reported,
        counts.made,
        counts.expanded,
        counts.delivered,
        counts.relayed,
        counts.failed,
        counts.discarded,
        counts.removed,
        *(states.count(state) for state in State if state is not State.SETTLED),
    )


def _entry(store: MemoryStore, number: int, recipient: StoredRecipient) -> QueueEntry:
    message = store.messages[recipient.message_id]
    destination = _find_destination(store, recipient.transport, recipient.destination)
    return QueueEntry(
        number,
        message.queue_id,
        _format(message.sender),
        _format(recipient.return_path),
        format_mailbox(recipient.address),
        format_mailbox(recipient.accepted_address),
        recipient.state,
        recipient.transport.value if recipient.transport else "",
        recipient.destination,
        recipient.due_us,
        store.attempts_for(recipient),
        recipient.last_reply,
        message.arrived_us,
        message.content.size,
        recipient.expanded_via,
        recipient.route_override,
        message.origin.value,
        recipient.notify,
        recipient.orcpt,
        message.client.account,
        recipient.message_id,
        destination.reason if destination.until_us is not None else "",
    )


def _summary(
    store: MemoryStore, state: State, transport: Transport | None, destination: str, arrivals: list[int]
) -> QueueSummary:
    known = _find_destination(store, transport, destination)
    return QueueSummary(
        state,
        transport.value if transport else "",
        destination,
        len(arrivals),
        min(arrivals),
        known.until_us or 0,
        known.reason,
        known.failures,
    )


def _find_destination(store: MemoryStore, transport: Transport | None, name: str) -> StoredDestination:
    return store.destinations[transport, name] if transport else StoredDestination()


def _matches(entry: QueueEntry, wanted: QueueFilter) -> bool:
    return (
        (not wanted.queue_id or entry.queue_id == wanted.queue_id)
        and (not wanted.recipient or wanted.recipient in (entry.address, entry.accepted_address))
        and (not wanted.domain or domain_key(entry.address.rpartition("@")[2]) == wanted.domain)
        and (wanted.sender is None or entry.sender == wanted.sender)
        and (wanted.arrived_before_us is None or entry.arrived_us < wanted.arrived_before_us)
        and (wanted.state is None or entry.state is wanted.state)
        and (not wanted.destination or entry.destination == wanted.destination)
        and (not wanted.account or entry.account == wanted.account)
        and wanted.error in entry.last_reply
    )


def _is_of(client: Client, user: str | None) -> bool:
    return user is None or (client.account == user != "" and not client.address)


def _format(mailbox: Mailbox | None) -> str:
    return format_mailbox(mailbox) if mailbox else ""
