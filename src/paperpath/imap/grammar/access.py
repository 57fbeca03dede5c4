"""What LOGIN, AUTHENTICATE, ID, ENABLE and COMPRESS say (RFC 9051 §6; RFC 2971, 4959, 4978, 5161)."""

from paperpath.imap.commands import Compress, Enable
from paperpath.imap.completion import no
from paperpath.imap.dialect import SWITCHES, Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault, misread
from paperpath.imap.scanner import Scanner

_MOST_FIELDS = 30  # RFC 2971 §3.3
_MOST_FIELD_OCTETS = 1024
_SWITCHES = {extension.value.upper(): extension for extension in SWITCHES}


def parse_login(words: Scanner) -> tuple[bytes, bytes]:
    """Read what stands behind LOGIN, to the end: a name, and a password. Raises: Fault."""
    words.space()
    name = words.astring()
    words.space()
    password = words.astring()
    words.end()
    return name, password


def parse_authenticate(words: Scanner, dialect: Dialect) -> tuple[str, bytes]:
    """Read what stands behind AUTHENTICATE, to the end: mechanism; initial response, empty where none came.

    Raises: Fault.
    """
    words.space()
    mechanism = words.atom().upper()
    if words.at_end:
        return mechanism, b""
    dialect.require(Extension.SASL_IR)
    words.space()
    initial = words.astring()
    words.end()
    return mechanism, initial


def parse_id(words: Scanner) -> tuple[tuple[str, str], ...]:
    """Read what stands behind ID; a field that has no value is passed over. Raises: Fault."""
    words.space()
    if words.take_word("NIL") or words.take_empty_list():
        return ()
    strings = words.listed(lambda: None if words.take_word("NIL") else words.string())
    names, values = strings[::2], strings[1::2]
    if len(names) != len(values) or len(names) > _MOST_FIELDS or None in names:
        raise misread("at most 30 fields with their values")
    return tuple(
        (_show(name), _show(value)) for name, value in zip(names, values, strict=True) if name and value
    )


def parse_enable(words: Scanner, dialect: Dialect) -> Enable:
    """Read what stands behind ENABLE; other names are passed over. Raises: Fault."""
    names: list[str] = []
    while not words.at_end or not names:
        words.space()
        names.append(words.atom().upper())
    known = (_SWITCHES[name] for name in dict.fromkeys(names) if name in _SWITCHES)
    return Enable(tuple(filter(dialect.knows, known)))


def parse_compress(words: Scanner) -> Compress:
    """Read what stands behind COMPRESS. Raises: Fault."""
    words.space()
    if words.atom().upper() != "DEFLATE":
        raise Fault(no("Only DEFLATE is known here"))
    return Compress()


def _show(octets: bytes) -> str:
    return octets[:_MOST_FIELD_OCTETS].decode("utf-8", "replace")
