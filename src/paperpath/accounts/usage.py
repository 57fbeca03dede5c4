"""How much of its daily limits each account has used (Limits in secrets.py); the days are those of UTC.

Called by the ways in for accounts that have limits, and by `paperpath account show`. Each account has a small
file, which is read and written under its lock: all processes share the counts, nothing is kept in memory, and
a restart forgets nothing. It is not flushed; a power cut may take a few counts.

A file is a row of unsigned numbers of 64 bits: the day, its messages, its new recipients, then a digest of
each recipient that the account wrote to while new ones were limited, the latest last. Of these the oldest are
forgotten beyond 10,000, and would be new again.
"""

import fcntl
import hashlib
import os
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from paperpath.accounts.directory import address_key
from paperpath.accounts.secrets import Limits
from paperpath.mail.address import Mailbox

MOST_KNOWN = 10_000
_DAY_S = 86_400
_NUMBERS = "Q"
_HEAD = 3  # numbers before the digests


class Excess(Enum):
    """Which limit does not allow a message."""

    MESSAGES = "messages"
    NEW_RECIPIENTS = "new recipients"


@dataclass(frozen=True, slots=True)
class Used:
    """What an account has sent on one day."""

    messages: int = 0
    new_recipients: int = 0


class Usage:
    """The counts of all accounts, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        """Name the folder, which is made when it is needed."""
        self._folder = folder

    def take(
        self, account: Mailbox, limits: Limits, recipients: Sequence[Mailbox], now_s: float
    ) -> Excess | None:
        """Count a message and its recipients, or count nothing and say which limit they exceed.

        Blocks for as long as another process counts for the same account. Raises: OSError.
        """
        if limits == Limits():
            return None
        self._folder.mkdir(mode=0o700, exist_ok=True)
        with _locked(self._find_file(account)) as descriptor:
            numbers = _read(descriptor)
            used = _used_on(numbers, _day(now_s))
            known = numbers[_HEAD:]
            new = _find_new(known, recipients) if limits.new_recipients_per_day else []
            if limits.messages_per_day and used.messages >= limits.messages_per_day:
                return Excess.MESSAGES
            if new and used.new_recipients + len(new) > limits.new_recipients_per_day:
                return Excess.NEW_RECIPIENTS
            head = [_day(now_s), used.messages + 1, used.new_recipients + len(new)]
            known.extend(new)
            _write(descriptor, array(_NUMBERS, head) + known[-MOST_KNOWN:])
        return None

    def read(self, account: Mailbox, now_s: float) -> Used:
        """Return what was counted for an account today. Raises: OSError."""
        try:
            with self._find_file(account).open("rb") as file:
                return _used_on(_to_numbers(file.read()), _day(now_s))
        except FileNotFoundError:
            return Used()

    def forget(self, account: Mailbox) -> None:
        """Forget what was counted for an account. Raises: OSError."""
        self._find_file(account).unlink(missing_ok=True)

    def _find_file(self, account: Mailbox) -> Path:
        """Return an account's file; no address is made into a path (promise P7)."""
        return self._folder / _digest(account, 16).hex()


@contextmanager
def _locked(file: Path) -> Iterator[int]:
    """Open a file, or make it, and hold its lock."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> "array[int]":
    return _to_numbers(os.pread(descriptor, os.fstat(descriptor).st_size, 0))


def _to_numbers(octets: bytes) -> "array[int]":
    """Read a file's octets; a file that is torn, or was just made, has no numbers to go by."""
    numbers = array(_NUMBERS)
    if len(octets) % numbers.itemsize == 0 and len(octets) >= _HEAD * numbers.itemsize:
        numbers.frombytes(octets)
        return numbers
    return array(_NUMBERS, [0] * _HEAD)


def _write(descriptor: int, numbers: "array[int]") -> None:
    octets = numbers.tobytes()
    os.pwrite(descriptor, octets, 0)
    os.ftruncate(descriptor, len(octets))


def _used_on(numbers: "array[int]", day: int) -> Used:
    return Used(numbers[1], numbers[2]) if numbers[0] == day else Used()


def _find_new(known: "array[int]", recipients: Sequence[Mailbox]) -> list[int]:
    """Return the digests of recipients that are not known, each once."""
    seen = set(known)
    digests = dict.fromkeys(int.from_bytes(_digest(recipient, 8)) for recipient in recipients)
    return [digest for digest in digests if digest not in seen]


def _day(now_s: float) -> int:
    return int(now_s // _DAY_S)


def _digest(address: Mailbox, octets: int) -> bytes:
    return hashlib.blake2b("\0".join(address_key(address)).encode(), digest_size=octets).digest()
