"""What the commands about mailboxes say (RFC 9051 §6.3; RFC 4466, 6154, 7162, 9208)."""

import re

from paperpath.imap.commands import (
    Create,
    Delete,
    GetQuota,
    GetQuotaRoot,
    QuickResync,
    Rename,
    Select,
    Subscribe,
)
from paperpath.imap.completion import bad
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault, misread
from paperpath.imap.scanner import MOST_NUMBER, Scanner
from paperpath.imap.sets import SequenceSet

_SPECIAL_USE = re.compile(r"[A-Za-z]+")


def parse_mailbox(words: Scanner, dialect: Dialect) -> str:
    """Take a space and the name of a mailbox. Raises: Fault."""
    words.space()
    return dialect.read_name(words.astring())


def parse_select(words: Scanner, dialect: Dialect, *, read_only: bool) -> Select:
    """Read what stands behind SELECT or EXAMINE. Raises: Fault."""
    mailbox = parse_mailbox(words, dialect)
    condstore = False
    resync: QuickResync | None = None
    if words.take(b" "):
        dialect.require(Extension.CONDSTORE)

        def take_parameter() -> None:
            nonlocal condstore, resync
            if words.take_word("CONDSTORE"):
                condstore = True
            elif words.take_word("QRESYNC"):
                resync = _parse_resync(words, dialect)
            else:
                raise misread("CONDSTORE or QRESYNC")

        words.listed(take_parameter)
    return Select(mailbox, read_only, condstore, resync)


def parse_create(words: Scanner, dialect: Dialect) -> Create:
    """Read what stands behind CREATE. Raises: Fault."""
    name = parse_mailbox(words, dialect)
    uses: tuple[str, ...] = ()
    if words.take(b" "):
        dialect.require(Extension.CREATE_SPECIAL_USE)
        words.expect(b"(")
        if not words.take_word("USE"):
            raise misread("USE")
        words.space()
        if not words.take_empty_list():
            uses = words.listed(lambda: _parse_special_use(words))
        words.expect(b")")
    return Create(name, tuple(dict.fromkeys(uses)))


def parse_delete(words: Scanner, dialect: Dialect) -> Delete:
    """Read what stands behind DELETE. Raises: Fault."""
    return Delete(parse_mailbox(words, dialect))


def parse_rename(words: Scanner, dialect: Dialect) -> Rename:
    """Read what stands behind RENAME. Raises: Fault."""
    return Rename(parse_mailbox(words, dialect), parse_mailbox(words, dialect))


def parse_subscribe(words: Scanner, dialect: Dialect, *, subscribed: bool) -> Subscribe:
    """Read what stands behind SUBSCRIBE or UNSUBSCRIBE. Raises: Fault."""
    return Subscribe(parse_mailbox(words, dialect), subscribed)


def parse_get_quota(words: Scanner) -> GetQuota:
    """Read what stands behind GETQUOTA. Raises: Fault."""
    words.space()
    return GetQuota(words.astring().decode("utf-8", "replace"))


def parse_get_quota_root(words: Scanner, dialect: Dialect) -> GetQuotaRoot:
    """Read what stands behind GETQUOTAROOT. Raises: Fault."""
    return GetQuotaRoot(parse_mailbox(words, dialect))


def _parse_special_use(words: Scanner) -> str:
    words.expect(b"\\")
    name = words.atom()
    if _SPECIAL_USE.fullmatch(name) is None:
        raise misread("a special use")
    return f"\\{name.capitalize()}"


def _parse_resync(words: Scanner, dialect: Dialect) -> QuickResync:
    """Take what stands behind QRESYNC (RFC 7162 §3.2.5)."""
    if not dialect.is_enabled(Extension.QRESYNC):
        raise Fault(bad("QRESYNC is to be switched on by ENABLE first"))
    words.space()
    words.expect(b"(")
    uid_validity = words.positive(MOST_NUMBER)
    words.space()
    modseq = words.positive()
    known: SequenceSet | None = None
    matches: tuple[SequenceSet, SequenceSet] | None = None
    if words.take(b" "):
        if not words.next_is(b"("):
            known = words.sequence_set()
        if known is None or words.take(b" "):
            matches = _parse_matches(words)
    words.expect(b")")
    return QuickResync(uid_validity, modseq, known, matches)


def _parse_matches(words: Scanner) -> tuple[SequenceSet, SequenceSet]:
    words.expect(b"(")
    numbers = words.sequence_set()
    words.space()
    uids = words.sequence_set()
    words.expect(b")")
    return numbers, uids
