"""The parameters behind MAIL and RCPT: octets to values (RFC 1870, 3030, 3461, 4954, 6152, 6531, 6533).

Called by the grammar with what stands behind the path. A parameter that the server does not offer is refused
with 555 and never passed over; one that is malformed or stands twice with 501 (RFC 5321 §4.1.1.11).
"""

import re

from paperpath.mail.envelope import NO_PARAMETERS, SenderParameters
from paperpath.smtp import replies
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.settings import Settings

_WORD = re.compile(rb"[^ \t]+")  # no other control octet stands between two
_KEYWORD = re.compile(rb"[A-Z0-9][A-Z0-9-]*")
_VALUE = re.compile(rb"[!-<>-~\x80-\xff]+")
_MOST_SIZE_DIGITS = 20  # RFC 1870 §3
_MOST_ENVID_OCTETS = 100  # RFC 3461 §5.4
_MOST_ORCPT_OCTETS = 500  # RFC 3461 §5.4
_XTEXT = r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})+"
_IDENTITY = re.compile(_XTEXT)
_ENVID = re.compile(_XTEXT)
_ORCPT = re.compile(rf"[A-Za-z0-9-]+;{_XTEXT}")
# RFC 6533 §3: as it is, as \x{HEX}, or in xtext; a backslash of its own is written \x{5C}.
_UTF8_ORCPT = re.compile(r"utf-8;(?:[!-*,-<>-\[\]-~]|\+[0-9A-F]{2}|\\x\{[0-9A-F]{2,6}\}|[^\x00-\x9f])+", re.I)
_CONDITIONS = frozenset({"SUCCESS", "FAILURE", "DELAY"})

Words = dict[bytes, bytes | None]


def read_sender_parameters(octets: bytes, settings: Settings) -> tuple[SenderParameters, int | None]:
    """Read what stands behind the path of MAIL; return it, and the declared size.

    Raises: CommandError.
    """
    if not octets:
        return NO_PARAMETERS, None
    words = _split(octets)
    size = _read_size(words.pop(b"SIZE")) if b"SIZE" in words else None
    international = b"SMTPUTF8" in words
    if international and words.pop(b"SMTPUTF8") is not None:
        raise CommandError(replies.R501_BAD_PARAMETER)
    body = _read_choice(words, b"BODY", _bodies(settings))
    ret = envid = ""
    if settings.dsn:
        ret = _read_choice(words, b"RET", frozenset({"FULL", "HDRS"}))
        envid = _read_envid(words)
    if settings.mechanisms:
        _check_identity(words)
    _refuse_others(words)
    return SenderParameters(body, international, ret, envid), size


def read_recipient_parameters(octets: bytes, settings: Settings, *, international: bool) -> tuple[str, str]:
    """Read what stands behind the path of RCPT: NOTIFY in upper case, and ORCPT as it came.

    Raises: CommandError.
    """
    if not octets:
        return "", ""
    words = _split(octets)
    notify = orcpt = ""
    if settings.dsn:
        notify = _read_notify(words)
        orcpt = _read_orcpt(words, international=international)
    _refuse_others(words)
    return notify, orcpt


def asks_for_international(octets: bytes) -> bool:
    """Tell whether SMTPUTF8 stands among parameters, or behind the name that VRFY is asked about."""
    return any(word.upper() == b"SMTPUTF8" for word in _WORD.findall(octets))


def _split(octets: bytes) -> Words:
    """Split parameters; keywords in upper case, `None` for a keyword without value."""
    if not octets.startswith(b" "):
        raise CommandError(replies.R501_BAD_PARAMETER)
    words: Words = {}
    for word in _WORD.findall(octets):
        keyword, equals, value = word.partition(b"=")
        name = keyword.upper()
        if _KEYWORD.fullmatch(name) is None or name in words:
            raise CommandError(replies.R501_BAD_PARAMETER)
        if equals and _VALUE.fullmatch(value) is None:
            raise CommandError(replies.R501_BAD_PARAMETER)
        words[name] = value if equals else None
    return words


def _refuse_others(words: Words) -> None:
    if words:
        raise CommandError(replies.R555_UNKNOWN_PARAMETER)


def _bodies(settings: Settings) -> frozenset[str]:
    bodies = frozenset({"7BIT", "8BITMIME"})
    return bodies | {"BINARYMIME"} if settings.binary else bodies


def _take_text(words: Words, name: bytes) -> str:
    """Take the value of a parameter that stands there; it must have one."""
    value = words.pop(name)
    if value is None:
        raise CommandError(replies.R501_BAD_PARAMETER)
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError(replies.R501_BAD_PARAMETER) from None


def _take_name(words: Words, name: bytes) -> str:
    """Take a value in upper case; only ASCII has one here, or "ſuccess" would be SUCCESS."""
    value = _take_text(words, name)
    if not value.isascii():
        raise CommandError(replies.R501_BAD_PARAMETER)
    return value.upper()


def _read_choice(words: Words, name: bytes, choices: frozenset[str]) -> str:
    if name not in words:
        return ""
    value = _take_name(words, name)
    if value not in choices:
        raise CommandError(replies.R501_BAD_PARAMETER)
    return value


def _read_size(value: bytes | None) -> int:
    if value is None or not value.isdigit() or len(value) > _MOST_SIZE_DIGITS:
        raise CommandError(replies.R501_BAD_PARAMETER)
    return int(value)


def _read_envid(words: Words) -> str:
    if b"ENVID" not in words:
        return ""
    value = _take_text(words, b"ENVID")
    if len(value) > _MOST_ENVID_OCTETS or _ENVID.fullmatch(value) is None:
        raise CommandError(replies.R501_BAD_PARAMETER)
    return value


def _check_identity(words: Words) -> None:
    """Take AUTH, and forget it: nobody is trusted to name somebody else, so it means `<>` (RFC 4954 §5)."""
    if b"AUTH" in words and _IDENTITY.fullmatch(_take_text(words, b"AUTH")) is None:
        raise CommandError(replies.R501_BAD_PARAMETER)


def _read_notify(words: Words) -> str:
    if b"NOTIFY" not in words:
        return ""
    value = _take_name(words, b"NOTIFY")
    if value != "NEVER" and not _CONDITIONS.issuperset(value.split(",")):
        raise CommandError(replies.R501_BAD_PARAMETER)
    return value


def _read_orcpt(words: Words, *, international: bool) -> str:
    if b"ORCPT" not in words:
        return ""
    value = _take_text(words, b"ORCPT")
    is_legal = len(value.encode()) <= _MOST_ORCPT_OCTETS and (
        _ORCPT.fullmatch(value) is not None or _UTF8_ORCPT.fullmatch(value) is not None
    )
    if not is_legal or not (international or value.isascii()):
        raise CommandError(replies.R501_BAD_PARAMETER)
    return value
