"""The mechanisms of AUTH as a server has them: PLAIN, LOGIN, SCRAM-SHA-256 and EXTERNAL.

RFC 4616; LOGIN is of no RFC, and old clients know nothing else; RFC 7677; RFC 4422 appendix A. Run by
login.py, which knows the wire. An exchange is a generator. It yields challenges, and is sent the answer to
each; the first one stands for the initial response that did not come. Last it yields what the driver has to
judge. What cannot be right is refused at once with `CommandError`.
"""

from collections.abc import Callable, Generator
from typing import Any

from paperpath.smtp import replies, scram
from paperpath.smtp.events import (
    ExternalReceived,
    KeysWanted,
    LoginEvent,
    LoginFailed,
    LoginReceived,
    PasswordReceived,
)
from paperpath.smtp.refusal import CommandError

EXTERNAL = "EXTERNAL"
_MOST_OCTETS = 255  # of a name or a password; RFC 4616 §2 has us take as many

# It is sent octets behind a challenge, and behind `KeysWanted` keys and a nonce.
Exchange = Generator[bytes | LoginEvent, Any, None]


def _plain() -> Exchange:
    message: bytes = yield b""
    parts = message.split(b"\0")
    if len(parts) != 3:
        raise CommandError(replies.R535_WRONG)
    name, password = _read(parts[1]), _read(parts[2])
    acting_for = _read(parts[0]) if parts[0] else ""
    yield PasswordReceived("PLAIN", name, "" if acting_for == name else acting_for, password)


def _login() -> Exchange:
    name: bytes = yield b"Username:"
    password: bytes = yield b"Password:"
    yield PasswordReceived("LOGIN", _read(name), "", _read(password))


def _external() -> Exchange:
    acting_for: bytes = yield b""
    yield ExternalReceived(EXTERNAL, _read(acting_for) if acting_for else "")


def _scram() -> Exchange:
    first: bytes = yield b""
    try:
        verifier = scram.Verifier(first)
    except scram.ScramError:
        raise CommandError(replies.R535_WRONG) from None
    name = _read(verifier.name.encode())
    keys, nonce = yield KeysWanted(scram.NAME, name)
    final: bytes = yield verifier.begin(keys, nonce)
    try:
        proof = verifier.verify(final)
    except scram.ScramError:
        yield LoginFailed(scram.NAME, name)
        return
    nothing: bytes = yield proof  # RFC 4954 §4: SMTP has no place for it beside success
    if nothing:
        raise CommandError(replies.R535_WRONG)
    yield LoginReceived(scram.NAME, name)


_EXCHANGES: dict[str, Callable[[], Exchange]] = {
    scram.NAME: _scram,
    "PLAIN": _plain,
    "LOGIN": _login,
    EXTERNAL: _external,
}
MECHANISMS = tuple(_EXCHANGES)


def begin_exchange(mechanism: str) -> Exchange:
    """Begin an exchange of one of MECHANISMS."""
    return _EXCHANGES[mechanism]()


def _read(octets: bytes) -> str:
    """Read a name or a password. Raises: CommandError."""
    if not 0 < len(octets) <= _MOST_OCTETS or b"\0" in octets:
        raise CommandError(replies.R535_WRONG)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError(replies.R535_WRONG) from None
