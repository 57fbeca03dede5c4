"""Responses as they are written (RFC 9051 §7 and the extensions): values in, octets out, CRLF included.

Called by the core for its own answers, and by whoever carries commands out, for `ServerConnection.send`.
Names of mailboxes come as `Dialect.write_name` writes them; what is told of a message comes as octets.
"""

import re
from collections.abc import Iterable, Mapping

from paperpath.imap.commands import SearchReturn, StatusItem
from paperpath.imap.completion import Completion
from paperpath.imap.extensions import Extension
from paperpath.imap.sets import write_numbers

NIL = b"NIL"
_CRLF = b"\r\n"
_MOST_TEXT = 500  # of what people may read
_MOST_QUOTED_OCTETS = 1024
_NOT_PRINTABLE = re.compile(r"[^ -~]")
_NOT_QUOTABLE = re.compile(rb"[\x00\r\n\x80-\xff]")


def write_completion(tag: str, completion: Completion) -> bytes:
    """Write how a command ended; without a tag, what is told unasked."""
    code = f"[{_clean(completion.code)}] " if completion.code else ""
    text = _clean(completion.text)[:_MOST_TEXT] or completion.condition.value
    return f"{tag or '*'} {completion.condition.value} {code}{text}\r\n".encode("ascii")


# Words


def write_string(octets: bytes) -> bytes:
    """Write a string: quoted where nothing forbids that, else as a literal."""
    if len(octets) > _MOST_QUOTED_OCTETS or _NOT_QUOTABLE.search(octets):
        return literal_head(len(octets)) + octets
    return _quote(octets)


def write_nstring(octets: bytes | None) -> bytes:
    """Write a string, or NIL where there is none."""
    return NIL if octets is None else write_string(octets)


def literal_head(octets: int, *, binary: bool = False) -> bytes:
    """Announce so many octets, which are to follow; `binary`: there may be NUL among them (RFC 3516)."""
    return b"%s{%d}\r\n" % (b"~" if binary else b"", octets)


def write_mailbox(name: bytes, *, utf8: bool) -> bytes:
    """Write the name of a mailbox, which is UTF-8 where that is on, and may then be quoted."""
    if utf8 and not name.isascii() and len(name) <= _MOST_QUOTED_OCTETS:
        return _quote(name)
    return write_string(name)


# What is told of the session


def write_capability(capabilities: str) -> bytes:
    """Write what is announced."""
    return _line(b"CAPABILITY", capabilities.encode("ascii"))


def write_id(fields: Iterable[tuple[str, str]]) -> bytes:
    """Write who we are (RFC 2971 §3.2)."""
    strings = [write_string(text.encode("utf-8")) for pair in fields for text in pair]
    return _line(b"ID", b"(" + b" ".join(strings) + b")" if strings else NIL)


def write_enabled(extensions: Iterable[Extension]) -> bytes:
    """Write what was switched on just now (RFC 5161 §3.2)."""
    return _line(b"ENABLED", *(extension.value.encode("ascii") for extension in extensions))


# What is told of mailboxes


def write_list(
    name: bytes,
    attributes: Iterable[str],
    separator: str = "/",
    *,
    verb: str = "LIST",
    child_info: Iterable[str] = (),
) -> bytes:
    """Write one mailbox for LIST, or LSUB as `verb`; `name` as `write_mailbox` gives it.

    `child_info`: the selections of RECURSIVEMATCH that something below it matches (RFC 5258 §3.5).
    """
    shown = " ".join(attributes).encode("ascii")
    words = [verb.encode("ascii"), b"(" + shown + b")", _quote(separator.encode("ascii")), name]
    matching = [_quote(selection.encode("ascii")) for selection in child_info]
    if matching:
        words.append(b'("CHILDINFO" (' + b" ".join(matching) + b"))")
    return _line(*words)


def write_status(name: bytes, values: Mapping[StatusItem, int | str | None]) -> bytes:
    """Write the state of a mailbox; a text is an object id (RFC 8474 §4.3), `None` is NIL."""
    items = [f"{item.value} {_show_value(value)}" for item, value in values.items()]
    return _line(b"STATUS", name, f"({' '.join(items)})".encode("ascii"))


def write_namespace(prefix: bytes = b"", separator: str = "/") -> bytes:
    """Write that there are personal mailboxes below a prefix, and no others (RFC 2342)."""
    personal = b"((" + write_string(prefix) + b" " + _quote(separator.encode("ascii")) + b"))"
    return _line(b"NAMESPACE", personal, NIL, NIL)


def write_quota(root: bytes, resources: Mapping[str, tuple[int, int]]) -> bytes:
    """Write for each resource its usage and its limit (RFC 9208 §4.2.1)."""
    shown = [f"{name} {usage} {limit}" for name, (usage, limit) in resources.items()]
    return _line(b"QUOTA", write_string(root), f"({' '.join(shown)})".encode("ascii"))


def write_quota_root(name: bytes, roots: Iterable[bytes]) -> bytes:
    """Write the quota roots of a mailbox (RFC 9208 §4.2.2)."""
    return _line(b"QUOTAROOT", name, *map(write_string, roots))


def write_flags(flags: Iterable[str]) -> bytes:
    """Write the flags that a mailbox has."""
    return _line(b"FLAGS", flag_list(flags))


def write_exists(messages: int) -> bytes:
    """Write how many messages there are."""
    return _line(_number(messages), b"EXISTS")


def write_recent(messages: int) -> bytes:
    """Write how many messages are recent (RFC 3501 §7.3.2)."""
    return _line(_number(messages), b"RECENT")


def write_expunge(number: int) -> bytes:
    """Write that a message is gone, and those behind it have moved up."""
    return _line(_number(number), b"EXPUNGE")


def write_vanished(uids: Iterable[int], *, earlier: bool = False) -> bytes:
    """Write which UIDs are gone (RFC 7162 §3.2.10); `earlier`: before this session could see them."""
    words = [b"(EARLIER)"] if earlier else []
    return _line(b"VANISHED", *words, write_numbers(uids).encode("ascii"))


# What is told of messages


def flag_list(flags: Iterable[str]) -> bytes:
    """Write flags in parentheses."""
    return b"(" + " ".join(flags).encode("ascii") + b")"


def write_fetches(numbers: Iterable[int], columns: Mapping[str, Iterable[bytes]]) -> bytes:
    """Write what is known of messages: for each item its name, and its values as they are written."""
    words = b" ".join(name.encode("ascii") + b" %b" for name in columns)
    form = b"* %d FETCH (" + words + b")\r\n"
    return b"".join([form % row for row in zip(numbers, *columns.values(), strict=True)])


def write_search(numbers: Iterable[int], *, verb: str = "SEARCH", modseq: int | None = None) -> bytes:
    """Write what SEARCH found, or SORT as `verb`, and the greatest mod-sequence among it (RFC 7162)."""
    words = [verb.encode("ascii"), *map(_number, numbers)]
    return _line(*words, *([b"(MODSEQ %d)" % modseq] if modseq is not None else []))


def write_esearch(
    tag: str, found: Mapping[SearchReturn, str], *, by_uid: bool, modseq: int | None = None
) -> bytes:
    """Write what SEARCH with RETURN found (RFC 4731 §3.1): values as text, no SAVE among them."""
    words = [b"ESEARCH", b"(TAG " + _quote(tag.encode("ascii")) + b")", *([b"UID"] if by_uid else [])]
    words += [f"{item.value} {value}".encode("ascii") for item, value in found.items()]
    return _line(*words, *([b"MODSEQ %d" % modseq] if modseq is not None else []))


def write_thread(threads: str) -> bytes:
    """Write what THREAD found: lists in parentheses, one behind the other (RFC 5256 §4)."""
    return _line(b"THREAD", *([threads.encode("ascii")] if threads else []))


def _line(*words: bytes) -> bytes:
    return b" ".join((b"*", *words)) + _CRLF


def _number(number: int) -> bytes:
    return b"%d" % number


def _quote(octets: bytes) -> bytes:
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _show_value(value: int | str | None) -> str:
    if value is None:
        return "NIL"
    return f"({value})" if isinstance(value, str) else str(value)


def _clean(text: str) -> str:
    return _NOT_PRINTABLE.sub("?", text)
