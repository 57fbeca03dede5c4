"""Commands about mailboxes as a whole: made, removed, renamed, subscribed to, counted (RFC 9051 §6.3)."""

from collections.abc import Iterable, Mapping

from paperpath.folders.store.values import INBOX, FolderStatus
from paperpath.imap import responses
from paperpath.imap.commands import (
    Create,
    Delete,
    GetQuota,
    GetQuotaRoot,
    Namespace,
    Rename,
    Status,
    StatusItem,
    Subscribe,
)
from paperpath.imap.completion import no, ok
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.extensions import Extension

_QUOTA_ROOT = b""  # of all mailboxes of an account
_KIB = 1024
_SIZES = (StatusItem.SIZE, StatusItem.DELETED_STORAGE)


def create(desk: Desk, command: Create) -> Deed:
    """Make a mailbox."""
    desk.store.create(command.name, command.special_uses)
    yield from ()
    if not desk.dialect.knows(Extension.OBJECTID):
        return ok("Made")
    status = desk.store.status(command.name.removesuffix("/"))
    return ok("Made", f"MAILBOXID ({status.folder_id})")


def delete(desk: Desk, command: Delete) -> Deed:
    """Remove a mailbox; sessions that have it selected end at their next look."""
    desk.store.delete(command.mailbox)
    yield from ()
    return ok("Removed")


def rename(desk: Desk, command: Rename) -> Deed:
    """Give a mailbox another name, and those below it; one that is selected stays so under its new name."""
    desk.store.rename(command.mailbox, command.new_name)
    yield from ()
    selected, before = desk.selected, command.mailbox
    if selected is not None and before != INBOX and f"{selected.name}/".startswith(f"{before}/"):
        name = command.new_name.removesuffix("/") + selected.name.removeprefix(before)
        selected.follow(name, desk.store.open(name, read_only=selected.read_only))
    return ok("Renamed")


def subscribe(desk: Desk, command: Subscribe) -> Deed:
    """Subscribe, or end that."""
    desk.store.subscribe(command.mailbox, subscribed=command.subscribed)
    yield from ()
    return ok("Subscribed" if command.subscribed else "Not subscribed any more")


def namespace(_: Desk, __: Namespace) -> Deed:
    """Tell where mailboxes are."""
    yield responses.write_namespace()
    return ok("That is all")


def status(desk: Desk, command: Status) -> Deed:
    """Tell a mailbox's numbers."""
    yield write_status_of(desk, command.mailbox, command.items)
    return ok("That is it")


def write_status_of(desk: Desk, name: str, items: Iterable[StatusItem]) -> bytes:
    """Write a mailbox's numbers."""
    wanted = tuple(items)
    found = desk.store.status(name, with_octets=any(item in wanted for item in _SIZES))
    return responses.write_status(desk.show_name(name), _choose(found, wanted, desk.message_octets))


def _choose(
    found: FolderStatus, items: Iterable[StatusItem], limit: int
) -> Mapping[StatusItem, int | str | None]:
    values: dict[StatusItem, int | str | None] = {
        StatusItem.MESSAGES: found.messages,
        StatusItem.RECENT: found.recent,
        StatusItem.UIDNEXT: found.uid_next,
        StatusItem.UIDVALIDITY: found.uid_validity,
        StatusItem.UNSEEN: found.unseen,
        StatusItem.DELETED: found.deleted,
        StatusItem.SIZE: found.octets,
        StatusItem.APPENDLIMIT: limit,
        StatusItem.HIGHESTMODSEQ: max(found.modseq, 1),
        StatusItem.MAILBOXID: found.folder_id,
        StatusItem.DELETED_STORAGE: found.deleted_octets,
    }
    return {item: values[item] for item in items}


def get_quota(desk: Desk, command: GetQuota) -> Deed:
    """Tell what may be held, and is; there is one root, which all mailboxes have."""
    if command.root.encode("utf-8") != _QUOTA_ROOT:
        return no("There is no such quota root", "NONEXISTENT")
    yield _write_quota(desk)
    return ok("That is it")


def get_quota_root(desk: Desk, command: GetQuotaRoot) -> Deed:
    """Tell the quota of a mailbox, which need not exist."""
    yield responses.write_quota_root(desk.show_name(command.mailbox), [_QUOTA_ROOT])
    yield _write_quota(desk)
    return ok("That is it")


def _write_quota(desk: Desk) -> bytes:
    use = desk.store.quota()
    resources = {}
    if use.limit.octets:  # RFC 9208 §5.1: in units of 1024 octets
        resources["STORAGE"] = (-(-use.octets // _KIB), use.limit.octets // _KIB)
    if use.limit.messages:
        resources["MESSAGE"] = (use.messages, use.limit.messages)
    return responses.write_quota(_QUOTA_ROOT, resources)
