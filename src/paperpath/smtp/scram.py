"""SCRAM-SHA-256 for both sides, by scramp (RFC 5802, RFC 7677): text in, text out, no randomness of its own.

Called by sasl.py and client_sasl.py, and by whoever makes keys of a password. Channel bindings are not used,
for Python's TLS cannot export what RFC 9266 binds to; and nobody acts for others. Whatever a peer says that
is malformed, forged or wrong raises `ScramError`.
"""

import importlib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, SupportsInt, cast

NAME = "SCRAM-SHA-256"
LEAST_ITERATIONS = 4096  # RFC 7677 §4

_MOST_FIRST_CHARACTERS = 512  # of a client's first message: a name, and a nonce
# A hostile server could keep us busy with more (attack S-12); this many take about a fifth of a second.
_MOST_ITERATIONS = 500_000

_AuthInfo = tuple[bytes, bytes, bytes, int]  # salt, stored key, server key, iterations


class ScramError(Exception):
    """What the peer said is no SCRAM, or proves nothing; `str` holds none of it."""


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What a server knows of a password: enough to verify it, too little to log in with (RFC 5802 §3)."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


class _Header(Protocol):
    def make_cbind_input(self, channel_binding: None, /) -> bytes: ...


class _Server(Protocol):
    gs2_header: _Header

    def set_client_first(self, message: str) -> None: ...
    def get_server_first(self) -> str: ...
    def set_client_final(self, message: str) -> None: ...
    def get_server_final(self) -> str: ...


class _Client(Protocol):
    iterations: SupportsInt

    def get_client_first(self) -> str: ...
    def set_server_first(self, message: str) -> None: ...
    def get_client_final(self) -> str: ...
    def set_server_final(self, message: str) -> None: ...


class _Mechanism(Protocol):
    def make_auth_info(self, password: str, iteration_count: int, salt: bytes) -> _AuthInfo: ...
    def make_server(self, auth_fn: Callable[[str], _AuthInfo | None], *, s_nonce: str) -> _Server: ...


class _Scramp(Protocol):
    """The part of scramp that is used here; it has no types of its own."""

    ScramException: type[Exception]

    def ScramMechanism(self, mechanism: str) -> _Mechanism: ...  # noqa: N802
    def ScramClient(  # noqa: N802
        self, mechanisms: list[str], username: str, password: str, *, c_nonce: str
    ) -> _Client: ...


@cache
def _load() -> _Scramp:
    """Import scramp when it is first used: it takes 8 MB, which a relay has no use for."""
    return cast("_Scramp", importlib.import_module("scramp"))


def derive_keys(password: str, salt: bytes, iterations: int) -> ScramKeys:
    """Make the keys of a password; `salt` has 12 octets or more.

    Raises: ScramError, where it cannot be prepared (RFC 4013).
    """
    scramp = _load()
    try:
        keys = scramp.ScramMechanism(NAME).make_auth_info(password, iterations, salt)
    except scramp.ScramException:
        raise ScramError("no keys can be made of this password") from None
    salt, stored_key, server_key, iterations = keys
    return ScramKeys(salt, iterations, stored_key, server_key)


@dataclass(frozen=True, slots=True)
class _WholeHeader:
    """The header of the client's first message, for the proof: scramp knows none with an identity."""

    octets: bytes

    def make_cbind_input(self, channel_binding: None, /) -> bytes:
        return self.octets


class Verifier:
    """The server's side of one exchange."""

    def __init__(self, first: bytes) -> None:
        """Take the client's first message; `name` is who it wants to be, prepared. Raises: ScramError."""
        message = _decode(first)
        # To prepare a character (RFC 4013) takes microseconds, and some become 18 by it (attack S-7).
        if len(unicodedata.normalize("NFKC", message)) > _MOST_FIRST_CHARACTERS:
            raise ScramError("the first message is too long")
        flag, identity, bare = _split(message)
        self._header = _WholeHeader(f"{flag},{identity},".encode())
        self._first = f"{flag},,{bare}"
        self._server: _Server | None = None
        self.name = self._find_name()

    def begin(self, keys: ScramKeys, nonce: str) -> bytes:
        """Return our first message. `nonce`: printable ASCII without a comma, never the same again."""
        scramp = _load()
        known = (keys.salt, keys.stored_key, keys.server_key, keys.iterations)
        self._server = scramp.ScramMechanism(NAME).make_server(lambda _: known, s_nonce=nonce)
        self._server.set_client_first(self._first)
        self._server.gs2_header = self._header
        return self._server.get_server_first().encode()

    def verify(self, final: bytes) -> bytes:
        """Take the client's proof; return ours. Raises: ScramError."""
        assert self._server is not None
        message = _decode(final)
        try:
            self._server.set_client_final(message)
            return self._server.get_server_final().encode()
        except _load().ScramException:
            raise ScramError("the proof is wrong") from None

    def _find_name(self) -> str:
        """Let scramp read the message for a server that knows nobody: keys are asked for by the name."""
        scramp = _load()
        asked: list[str] = []
        try:
            scramp.ScramMechanism(NAME).make_server(asked.append, s_nonce="x").set_client_first(self._first)
        except scramp.ScramException:
            if asked:
                return asked[0]
        raise ScramError("the first message is malformed")


class Prover:
    """The client's side of one exchange."""

    def __init__(self, user: str, password: str, nonce: str) -> None:
        """Make the first message; `nonce` as for `Verifier.begin`. Raises: ScramError."""
        scramp = _load()
        try:
            self._client = scramp.ScramClient([NAME], user, password, c_nonce=nonce)
            self.first = self._client.get_client_first().encode()
        except scramp.ScramException:
            raise ScramError("user or password cannot be prepared") from None

    def prove(self, challenge: bytes) -> bytes:
        """Take the server's first message; return our proof. Raises: ScramError."""
        message = _decode(challenge)
        try:
            self._client.set_server_first(message)
            if int(self._client.iterations) > _MOST_ITERATIONS:
                raise ScramError("the server asks for too much work")
            return self._client.get_client_final().encode()
        except _load().ScramException:
            raise ScramError("the server's first message is malformed") from None

    def verify(self, final: bytes) -> bytes:
        """Take the server's proof; return the empty answer. Raises: ScramError, if it proves nothing."""
        message = _decode(final)
        try:
            self._client.set_server_final(message)
        except _load().ScramException:
            raise ScramError("the server does not know the password") from None
        return b""


def _split(message: str) -> tuple[str, str, str]:
    """Split a client's first message: flag, authorization identity, and the rest (RFC 5802 §7).

    Raises: ScramError, where somebody wants to act for others. Many name themselves twice.
    """
    flag, _, rest = message.partition(",")
    identity, _, bare = rest.partition(",")
    name = bare.partition(",")[0]
    if identity and not (identity.startswith("a=") and name == f"n={identity[2:]}"):
        raise ScramError("nobody acts for others")
    return flag, identity, bare


def _decode(message: bytes) -> str:
    try:
        return message.decode("utf-8")
    except UnicodeDecodeError:
        raise ScramError("a message is no UTF-8") from None
