"""One command carried out, and what is new in the mailbox behind it; called by the session's driver."""

from collections.abc import Callable, Iterator
from typing import Any

from paperpath.folders.store.errors import FolderLostError
from paperpath.imap import responses
from paperpath.imap.commands import (
    Append,
    Check,
    Close,
    Command,
    Copy,
    Create,
    Delete,
    Enable,
    Expunge,
    Fetch,
    GetQuota,
    GetQuotaRoot,
    List,
    ListSubscribed,
    Move,
    Namespace,
    Noop,
    Rename,
    Search,
    Select,
    Sort,
    Status,
    Store,
    Subscribe,
    Thread,
    Unselect,
)
from paperpath.imap.completion import ok
from paperpath.imap.desk.appending import append
from paperpath.imap.desk.changing import copy, expunge, move, store
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.desk.fetching import fetch
from paperpath.imap.desk.listing import list_mailboxes, list_subscribed
from paperpath.imap.desk.mailboxes import (
    create,
    delete,
    get_quota,
    get_quota_root,
    namespace,
    rename,
    status,
    subscribe,
)
from paperpath.imap.desk.searching import search, sort, thread
from paperpath.imap.desk.selecting import close, select, unselect
from paperpath.imap.desk.sharing import SharedLook
from paperpath.imap.desk.troubles import TROUBLES, concerns_operator, describe_trouble

_MAKING = (Append, Copy, Move)  # what could go on if the client made the mailbox


Tell = Callable[[Exception], None]
"""Takes what the operator should hear of."""


def carry_out(desk: Desk, command: Command, tag: str, tell: Tell) -> Deed:
    """Carry a command out; what the store could not do is its answer. Raises: BrokenOffError."""
    makes = isinstance(command, _MAKING)
    if desk.selected is not None and not isinstance(command, Select):
        yield from desk.selected.tell_modseq()
    try:
        completion = yield from _begin(desk, command, tag)
    except TROUBLES as error:
        completion = describe_trouble(error, makes=makes)
        if isinstance(error, FolderLostError) and not makes:
            desk.is_lost = True
        if concerns_operator(error):
            tell(error)
    if not isinstance(command, Select):
        yield from tell_news(desk, tell, may_expunge=_may_expunge_behind(command))
    return completion


def tell_news(
    desk: Desk, tell: Tell, *, may_expunge: bool, shared: SharedLook | None = None
) -> Iterator[bytes]:
    """Write what is new in the mailbox that is selected, if any; by a shared look if there is one."""
    if desk.selected is None or desk.is_lost:
        return
    try:
        yield from desk.selected.news(may_expunge=may_expunge, shared=shared)
    except FolderLostError:
        desk.is_lost = True
    except TROUBLES as error:  # they are told when that is over
        tell(error)


def tell_while_idle(desk: Desk, tell: Tell, shared: SharedLook | None) -> Deed:
    """Write what is new for a session that idles, and rest until there is more."""
    yield from tell_news(desk, tell, may_expunge=True, shared=shared)
    desk.rest()
    return ok("That is new")


def _may_expunge_behind(command: Command) -> bool:
    """Tell whether messages may lose their numbers at the end of a command (RFC 9051 §7.5.1)."""
    if isinstance(command, Fetch | Store | Search | Sort | Thread):
        return command.by_uid
    return True


def _begin(desk: Desk, command: Command, tag: str) -> Deed:
    if isinstance(command, Search):
        return search(desk, command, tag)
    return _DEEDS[type(command)](desk, command)


def _enable(desk: Desk, command: Enable) -> Deed:
    """Say what is on from now on and was not."""
    new = [extension for extension in command.extensions if not desk.dialect.is_enabled(extension)]
    yield responses.write_enabled(new)
    return ok("Enabled")


def _look(_: Desk, __: Noop | Check) -> Deed:
    """Do nothing: the news come by themselves."""
    yield from ()
    return ok("Done")


_DEEDS: dict[type[Command], Callable[[Desk, Any], Deed]] = {
    Append: append,
    Check: _look,
    Close: close,
    Copy: copy,
    Create: create,
    Delete: delete,
    Enable: _enable,
    Expunge: expunge,
    Fetch: fetch,
    GetQuota: get_quota,
    GetQuotaRoot: get_quota_root,
    List: list_mailboxes,
    ListSubscribed: list_subscribed,
    Move: move,
    Namespace: namespace,
    Noop: _look,
    Rename: rename,
    Select: select,
    Sort: sort,
    Status: status,
    Store: store,
    Subscribe: subscribe,
    Thread: thread,
    Unselect: unselect,
}
