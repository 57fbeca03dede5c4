"""What the post office does to the model's recipients."""

from collections.abc import Sequence
from dataclasses import replace

from paperpath.maildrop.memory.arrivals import accept_reports
from paperpath.maildrop.memory.store import MemoryStore, StoredRecipient
from paperpath.maildrop.values import (
    Aside,
    Decision,
    Expanded,
    NewMessage,
    Origin,
    Refused,
    Sorted,
    Stage,
    State,
    Target,
    UnsortedRecipient,
)


def read_unsorted(store: MemoryStore, limit: int) -> tuple[UnsortedRecipient, ...]:
    """Return the oldest recipients that wait for sorting."""
    return tuple(_unsorted(store, number, found) for number, found in store.in_state(State.UNSORTED)[:limit])


def carry_out_decisions(store: MemoryStore, decisions: Sequence[Decision], epoch: int, now_us: int) -> int:
    """Carry out decisions on what was unsorted when they came; give how many recipients moved."""
    if epoch != store.epoch:
        return 0
    moved, reports = 0, []
    waiting = {number for number, _ in store.in_state(State.UNSORTED)}
    for decision in decisions:
        recipient = store.recipients.get(decision.recipient_id)
        if recipient is None or recipient.state is not State.UNSORTED or decision.recipient_id not in waiting:
            continue
        moved += 1
        reports.append(_carry_out(store, decision, recipient, now_us))
    accept_reports(store, reports)
    return moved


def reopen_stale(store: MemoryStore, limit: int) -> int:
    """Have ready recipients of older epochs sorted again."""
    stale = sorted(
        (recipient.epoch, number)
        for number, recipient in store.in_state(State.READY)
        if recipient.epoch < store.epoch
    )
    for _, number in stale[:limit]:
        store.reopen(number)
    return len(stale[:limit])


def _carry_out(
    store: MemoryStore, decision: Decision, recipient: StoredRecipient, now_us: int
) -> NewMessage | None:
    """Carry out one decision; give the report of it."""
    match decision:
        case Sorted():
            _sort(store, decision, recipient, now_us)
            return None
        case Expanded(number, targets, report):
            _expand(store, number, recipient, targets)
            return report
        case Refused(number, reply, report):
            store.close(number, replace(recipient, last_reply=str(reply)), "failed")
            return report
        case Aside(number, reply, notice):
            store.change(number, state=State.HELD, last_reply=str(reply))
            return notice


def _sort(store: MemoryStore, decision: Sorted, recipient: StoredRecipient, now_us: int) -> None:
    equals = (
        sibling
        for number, sibling in store.recipients.items()
        if sibling.message_id == recipient.message_id and number != decision.recipient_id
    )
    if decision.key and any(sibling.key == decision.key for sibling in equals):
        store.close(decision.recipient_id, recipient, "expanded")
        return
    way = decision.transport, decision.destination
    destination = store.know(*way)
    goes_the_same_way = (recipient.transport, recipient.destination) == way
    store.change(
        decision.recipient_id,
        state=State.READY,
        epoch=store.epoch,
        address=decision.address,
        transport=decision.transport,
        destination=decision.destination,
        key=decision.key,
        due_us=max(recipient.due_us if goes_the_same_way else 0, now_us, decision.not_before_us),
        contacts=recipient.contacts if goes_the_same_way else destination.contacts,
    )
    store.on_work(decision.transport.stage)


def _expand(store: MemoryStore, number: int, recipient: StoredRecipient, targets: Sequence[Target]) -> None:
    for target in targets:
        store.recipients[store.number("recipient")] = StoredRecipient(
            recipient.message_id,
            recipient.accepted_address,
            target.address,
            target.return_path,
            target.notify,
            target.orcpt,
            recipient.deadline_us,
            target.expanded_via,
            recipient.route_override,
        )
    store.counts.made += len(targets)
    store.on_work(Stage.SORTING)
    store.close(number, recipient, "expanded")


def _unsorted(store: MemoryStore, number: int, recipient: StoredRecipient) -> UnsortedRecipient:
    message = store.messages[recipient.message_id]
    return UnsortedRecipient(
        number,
        message.queue_id,
        message.arrived_us,
        recipient.address,
        recipient.accepted_address,
        recipient.return_path,
        recipient.notify,
        recipient.orcpt,
        recipient.expanded_via,
        recipient.route_override,
        message.origin is Origin.REPORT,
    )
