"""What is announced in which state (RFC 9051 §6.1.1): only what works, and only where it is of use."""

from collections.abc import Iterable

from paperpath.imap.extensions import Extension
from paperpath.imap.settings import Settings

# What a client may want to know before it has logged in; the rest comes with the OK to that.
_EARLY = (
    Extension.REV2,
    Extension.LITERAL_PLUS,
    Extension.LITERAL_MINUS,
    Extension.SASL_IR,
    Extension.ID,
    Extension.ENABLE,
)
_QUOTA = "QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE"  # RFC 9208 §3.1.1, §5


def announce_to_stranger(settings: Settings, *, encrypted: bool) -> str:
    """Write the capabilities before a login."""
    words = ["IMAP4rev1", *_list(settings, _EARLY)]
    if settings.tls and not encrypted:
        words.append("STARTTLS")
    if encrypted or settings.auth_in_clear:
        words += [f"AUTH={mechanism}" for mechanism in settings.mechanisms]
    else:
        words.append("LOGINDISABLED")  # RFC 3501 §6.2.3
    return " ".join(words)


def announce_to_known(settings: Settings, *, compressed: bool) -> str:
    """Write the capabilities behind a login."""
    useless = {Extension.SASL_IR, *([Extension.COMPRESS] if compressed else [])}
    return " ".join(["IMAP4rev1", *_list(settings, [each for each in Extension if each not in useless])])


def _list(settings: Settings, extensions: Iterable[Extension]) -> list[str]:
    return [_write(each, settings) for each in extensions if each in settings.extensions]


def _write(extension: Extension, settings: Settings) -> str:
    if extension is Extension.APPENDLIMIT:  # RFC 7889 §2
        return f"{extension.value}={settings.message_octets}"
    return _QUOTA if extension is Extension.QUOTA else extension.value
