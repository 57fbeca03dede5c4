"""Passwords: into their one form, into what is kept of them, and compared with that.

Called by the secrets and the verifier. Kept are an argon2id hash, for who sends the password itself (PLAIN,
LOGIN), and the keys of SCRAM-SHA-256, for who proves to know it (RFC 5802 §3); both are made of the form that
SASLprep gives (RFC 4013), so that a password typed on one keyboard is the same as typed on another (RFC 4616
§2). No text here has a password in it.
"""

import secrets
from dataclasses import dataclass, field
from typing import Protocol

import argon2
import scramp  # type: ignore[import-untyped]
import scramp.utils  # type: ignore[import-untyped]

MOST_OCTETS = 255  # RFC 4616 §2: what every client may send
ITERATIONS = (
    100_000  # of SCRAM; RFC 7677 §4 wants 4096 at least, and a tenth of a second on a machine of today
)
SALT_OCTETS = 32

# What OWASP asks of argon2id with little memory: 29 ms of a processor and 19 MiB for each check.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# Of a password that nobody knows; it takes as long to find out that another one is wrong.
_HASH_OF_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBvdGhlciBzYWx0$" + "A" * 43
_TOO_LONG = f"it is longer than {MOST_OCTETS} octets"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that look like others


class PasswordError(ValueError):
    """A password cannot be used; the text says why, without any of it."""


class CheckError(Exception):
    """A password could not be compared, for want of memory or since the hash is damaged."""


@dataclass(frozen=True, slots=True)
class ScramKeys:
    """What a server keeps to check SCRAM-SHA-256: it proves nothing to another server (RFC 5802 §3)."""

    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


class _Mechanism(Protocol):
    """What we use of scramp, which has no types."""

    def make_auth_info(
        self, password: str, iteration_count: int, salt: bytes
    ) -> tuple[bytes, bytes, bytes, int]: ...


def prepare_password(text: str) -> str:
    """Return the form in which a password is hashed (RFC 4013). Raises: PasswordError."""
    if len(text) > MOST_OCTETS:  # before more is done with it
        raise PasswordError(_TOO_LONG)
    try:
        prepared: str = scramp.utils.saslprep(text)
    except scramp.ScramException as error:
        raise PasswordError("it has a character that no password may have (RFC 4013)") from error
    if not prepared:
        raise PasswordError("it is empty")
    if max(len(text.encode()), len(prepared.encode())) > MOST_OCTETS:
        raise PasswordError(_TOO_LONG)
    return prepared


def hash_password(prepared: str) -> str:
    """Return the argon2id hash of a password that was prepared."""
    return _HASHER.hash(prepared)


def make_scram_keys(prepared: str) -> ScramKeys:
    """Return the keys of a password that was prepared."""
    mechanism: _Mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    salt, stored_key, server_key, iterations = mechanism.make_auth_info(
        prepared, iteration_count=ITERATIONS, salt=secrets.token_bytes(SALT_OCTETS)
    )
    return ScramKeys(salt, iterations, stored_key, server_key)


def is_password(prepared: str, password_hash: str) -> bool:
    """Tell whether a hash is of a password; takes as long where it is not, or where there is no hash.

    Raises: CheckError.
    """
    try:
        _HASHER.verify(password_hash or _HASH_OF_NOBODY, prepared)
    except argon2.exceptions.VerifyMismatchError:
        return False
    except (argon2.exceptions.Argon2Error, argon2.exceptions.InvalidHashError) as error:
        raise CheckError from error
    return password_hash != ""


def make_random_password() -> str:
    """Return a password of 99 bits that is easy to type."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
