"""Passwords: into their one form, into what is kept of them, and compared with that.

Called by the secrets and the verifier. Kept are an argon2id hash, for who sends the password itself (PLAIN,
LOGIN), and the keys of SCRAM-SHA-256, for who proves to know it (RFC 5802 §3); both are made of the form that
SASLprep gives (RFC 4013), so that a password typed on one keyboard is the same as typed on another (RFC 4616
§2). No text here has a password in it.
"""

import importlib
import secrets
from functools import cache
from typing import Protocol, cast

import argon2

from paperpath.smtp.scram import ScramKeys, derive_keys

MOST_OCTETS = 255  # RFC 4616 §2: what every client may send
ITERATIONS = (
    65_536  # of SCRAM: RFC 7677 §4 wants 4096 at least, and Cyrus SASL refuses to compute more than this
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


class _Preparation(Protocol):
    """The part of scramp that is used here; it has no types of its own."""

    ScramException: type[Exception]

    def saslprep(self, source: str) -> str: ...


@cache
def _load() -> _Preparation:
    """Import scramp when it is first used, as smtp/scram.py does."""
    return cast("_Preparation", importlib.import_module("scramp.utils"))


def prepare_password(text: str) -> str:
    """Return the form in which a password is hashed (RFC 4013). Raises: PasswordError."""
    if len(text) > MOST_OCTETS:  # before more is done with it
        raise PasswordError(_TOO_LONG)
    preparation = _load()
    try:
        prepared = preparation.saslprep(text)
    except preparation.ScramException:
        raise PasswordError("it has a character that no password may have (RFC 4013)") from None
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
    return derive_keys(prepared, secrets.token_bytes(SALT_OCTETS), ITERATIONS)


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
