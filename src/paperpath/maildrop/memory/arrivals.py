"""How messages come into the model: those that the ways in took, and the reports that we make ourselves."""

from collections.abc import Iterable

from paperpath.maildrop.memory.store import MemoryStore, StoredRecipient
from paperpath.maildrop.values import ClaimedMessage, NewMessage, Origin, Stage


def accept(store: MemoryStore, message: NewMessage) -> None:
    """Store a message with its recipients, all unsorted, unless it was taken before."""
    envelope = message.envelope
    if message.unique and message.unique in store.taken:
        return
    store.taken.add(message.unique)
    message_id = store.number("message")
    store.messages[message_id] = ClaimedMessage(
        message_id,
        message.queue_id,
        envelope.sender,
        envelope.parameters,
        message.arrived_us,
        message.content,
        message.origin,
        envelope.client,
    )
    for asked in envelope.recipients:
        store.recipients[store.number("recipient")] = StoredRecipient(
            message_id,
            asked.address,
            asked.address,
            envelope.sender,
            asked.notify,
            asked.orcpt,
            message.deadline_us,
        )
    if message.origin is Origin.REPORT:
        store.counts.reported += len(envelope.recipients)
    else:
        store.counts.accepted += len(envelope.recipients)
    store.on_work(Stage.SORTING)


def accept_reports(store: MemoryStore, reports: Iterable[NewMessage | None]) -> None:
    """Store each report once, however many recipients it is about."""
    for report in {report.queue_id: report for report in reports if report is not None}.values():
        accept(store, report)
