"""The words of a command to its value: one row for each verb that the driver carries out.

Called by the core with a command that has come whole and may come now. APPEND is not here, for it is read
while it comes; nor are those that the core answers itself.
"""

from collections.abc import Callable
from typing import Protocol

from paperpath.imap.commands import Check, Close, Command, Idle, Namespace, Noop, Unselect
from paperpath.imap.dialect import Dialect
from paperpath.imap.grammar import access, fetch, listing, mailboxes, messages, search
from paperpath.imap.scanner import Scanner
from paperpath.imap.verbs import WITH_UID, Verb

_BARE: dict[Verb, Command] = {
    Verb.NOOP: Noop(),
    Verb.NAMESPACE: Namespace(),
    Verb.IDLE: Idle(),
    Verb.CHECK: Check(),
    Verb.CLOSE: Close(),
    Verb.UNSELECT: Unselect(),
}


class _MessageGrammar(Protocol):
    def __call__(self, words: Scanner, dialect: Dialect, /, *, by_uid: bool) -> Command: ...


_OF_MESSAGES: dict[Verb, _MessageGrammar] = {
    Verb.EXPUNGE: messages.parse_expunge,
    Verb.SEARCH: search.parse_search,
    Verb.SORT: search.parse_sort,
    Verb.THREAD: search.parse_thread,
    Verb.FETCH: fetch.parse_fetch,
    Verb.STORE: messages.parse_store,
    Verb.COPY: messages.parse_copy,
    Verb.MOVE: messages.parse_move,
}

_OTHERS: dict[Verb, Callable[[Scanner, Dialect], Command]] = {
    Verb.COMPRESS: lambda words, _: access.parse_compress(words),
    Verb.ENABLE: access.parse_enable,
    Verb.SELECT: lambda words, dialect: mailboxes.parse_select(words, dialect, read_only=False),
    Verb.EXAMINE: lambda words, dialect: mailboxes.parse_select(words, dialect, read_only=True),
    Verb.CREATE: mailboxes.parse_create,
    Verb.DELETE: mailboxes.parse_delete,
    Verb.RENAME: mailboxes.parse_rename,
    Verb.SUBSCRIBE: lambda words, dialect: mailboxes.parse_subscribe(words, dialect, subscribed=True),
    Verb.UNSUBSCRIBE: lambda words, dialect: mailboxes.parse_subscribe(words, dialect, subscribed=False),
    Verb.LIST: listing.parse_list,
    Verb.LSUB: listing.parse_lsub,
    Verb.STATUS: listing.parse_status,
    Verb.GETQUOTA: lambda words, _: mailboxes.parse_get_quota(words),
    Verb.GETQUOTAROOT: mailboxes.parse_get_quota_root,
}


def parse_command(verb: Verb, words: Scanner, dialect: Dialect, *, by_uid: bool) -> Command:
    """Read what stands behind a verb, to the end. Raises: Fault."""
    command = _parse(verb, words, dialect, by_uid=by_uid)
    words.end()
    return command


def _parse(verb: Verb, words: Scanner, dialect: Dialect, *, by_uid: bool) -> Command:
    if verb in _BARE:
        return _BARE[verb]
    if verb in WITH_UID:
        return _OF_MESSAGES[verb](words, dialect, by_uid=by_uid)
    return _OTHERS[verb](words, dialect)
