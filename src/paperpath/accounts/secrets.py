"""The secrets: how accounts prove who they are, and what they may do; a store apart from the accounts.

Only who lets people in opens it (attack L-5): smtprd never does. A line is, with a tab between them, an
address, the argon2id hash of its password, the keys of SCRAM-SHA-256 as RFC 5803 §2 writes them, and marks
apart by spaces: `suspended`, `messages=500`, `new-recipients=100`. A hyphen stands for none. The line `key`
has the secret from which salts of unknown names are made.

`paperpath account` writes the file, for its owner alone; who reads it notices when it was replaced. What is
wrong with a line is told without the line.
"""

import base64
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paperpath.accounts.directory import Directory, address_key
from paperpath.accounts.lines import (
    AccountsError,
    Key,
    holds_entry,
    parse_entries,
    parse_entry_address,
    replacing,
)
from paperpath.mail.address import Mailbox
from paperpath.service.watched_file import WatchedFile
from paperpath.smtp.scram import ScramKeys

_HEADING = (
    "# One account a line: address, argon2id hash, keys of SCRAM, marks; paperpath account writes it.\n"
)
_NONE = "-"
_KEY = "key"
_KEY_OCTETS = 32
_ARGON2 = re.compile(
    r"\$argon2id\$v=19\$m=[0-9]{1,9},t=[0-9]{1,4},p=[0-9]{1,3}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+"
)
_SCRAM = re.compile(
    r"SCRAM-SHA-256\$([1-9][0-9]{3,8}):([A-Za-z0-9+/=]{16,})\$([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{44})"
)
_FEWEST_ITERATIONS = 4096  # RFC 7677 §4
_SUSPENDED = "suspended"
_LIMIT = re.compile(r"(messages|new-recipients)=([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may send in a day; 0 is no limit. New recipients are those it never wrote to before."""

    messages_per_day: int = 0
    new_recipients_per_day: int = 0


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Secret:
    """How one account proves who it is; without a password nobody can log in by one."""

    address: Mailbox
    password_hash: str = field(default="", repr=False)
    scram: ScramKeys | None = None
    is_suspended: bool = False
    limits: Limits = NO_LIMITS


class Secrets(Directory[Secret]):
    """All secrets of one moment; `key` is known to this system alone, empty where there are none yet."""

    def __init__(self, entries: Mapping[Key, Secret], key: bytes) -> None:
        """Index them."""
        super().__init__(entries)
        self.key = key


def parse_secrets(text: str) -> Secrets:
    """Read the file's text. Raises: AccountsError, with the line's number."""
    key = b""

    def parse_line(line: str) -> Secret | None:
        nonlocal key
        name, _, rest = line.rstrip("\n").partition("\t")
        if name == _KEY:
            key = _decode(rest)
            return None
        return _parse_secret(line)

    entries = parse_entries(text.splitlines(), parse_line)
    if entries and len(key) != _KEY_OCTETS:
        raise AccountsError("the line with the key is missing or too short")
    return Secrets(entries, key)


class SecretsFile(WatchedFile[Secrets]):
    """The secrets as the file has them now."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises: AccountsError."""
        super().__init__(file, load_secrets, AccountsError)


def load_secrets(file: Path) -> Secrets:
    """Read a file; one that is not there holds none. Raises: AccountsError, also if others may read it."""
    try:
        with file.open(encoding="utf-8") as opened:
            if os.fstat(opened.fileno()).st_mode & 0o077:
                raise AccountsError(f"{file} is not its owner's alone; run: chmod 600 {file}")
            text = opened.read()
        return parse_secrets(text)
    except FileNotFoundError:
        return Secrets({}, b"")
    except OSError as error:
        raise AccountsError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise AccountsError(f"{file}: expected UTF-8") from None
    except AccountsError as error:
        raise AccountsError(f"{file}: {error}") from None


def change_secret(file: Path, address: Mailbox, change: Callable[[Secret], Secret]) -> Secret:
    """Change what is kept of an account, which may be nothing yet; flushed. Raises: AccountsError."""
    with replacing(file, _HEADING, parse_secrets) as lines:
        found = parse_secrets("".join(lines)).find_exact(address)
        secret = change(found or Secret(address))
        line = _format_secret(secret)
        if not any(_is_key(one) for one in lines):
            lines.append(f"{_KEY}\t{_encode(secrets.token_bytes(_KEY_OCTETS))}\n")
        if found is None:
            lines.append(line)
        else:
            lines[:] = [line if _is_line_of(address, one) else one for one in lines]
    return secret


def remove_secret(file: Path, address: Mailbox) -> bool:
    """Forget what is kept of an account; tell whether there was anything. Raises: AccountsError."""
    if load_secrets(file).find_exact(address) is None:
        return False
    with replacing(file, _HEADING, parse_secrets) as lines:
        lines[:] = [line for line in lines if not _is_line_of(address, line)]
    return True


def _parse_secret(line: str) -> Secret:
    """Raises: ValueError, whose text has nothing of the line, since who writes by hand confuses columns."""
    fields = line.rstrip("\n").split("\t")
    if len(fields) != 4:
        raise ValueError("expected an address, a hash, keys and marks with tabs between them")
    try:
        address = parse_entry_address(fields[0])
    except ValueError:
        raise ValueError("expected an address at its beginning") from None
    if fields[1] != _NONE and _ARGON2.fullmatch(fields[1]) is None:
        raise ValueError(f"the hash of {address} is none of argon2id")
    password_hash = "" if fields[1] == _NONE else fields[1]
    scram = None if fields[2] == _NONE else _parse_scram(fields[2], address)
    is_suspended, limits = _parse_marks(fields[3], address)
    return Secret(address, password_hash, scram, is_suspended, limits)


def _parse_scram(text: str, address: Mailbox) -> ScramKeys:
    match = _SCRAM.fullmatch(text)
    if match is None or int(match[1]) < _FEWEST_ITERATIONS:
        raise ValueError(f"the keys of {address} are none of SCRAM-SHA-256")
    return ScramKeys(_decode(match[2]), int(match[1]), _decode(match[3]), _decode(match[4]))


def _parse_marks(text: str, address: Mailbox) -> tuple[bool, Limits]:
    marks = [] if text == _NONE else text.split(" ")
    numbers = {match[1]: int(match[2]) for match in map(_LIMIT.fullmatch, marks) if match is not None}
    is_suspended = _SUSPENDED in marks
    if len(marks) != len(numbers) + is_suspended:
        raise ValueError(f"the marks of {address} are none that are known, or one stands there twice")
    return is_suspended, Limits(numbers.get("messages", 0), numbers.get("new-recipients", 0))


def _format_secret(secret: Secret) -> str:
    limits = secret.limits
    marks = [
        *([_SUSPENDED] if secret.is_suspended else []),
        *([f"messages={limits.messages_per_day}"] if limits.messages_per_day else []),
        *([f"new-recipients={limits.new_recipients_per_day}"] if limits.new_recipients_per_day else []),
    ]
    scram = _NONE if secret.scram is None else _format_scram(secret.scram)
    return f"{secret.address}\t{secret.password_hash or _NONE}\t{scram}\t{' '.join(marks) or _NONE}\n"


def _format_scram(keys: ScramKeys) -> str:
    stored, server = _encode(keys.stored_key), _encode(keys.server_key)
    return f"SCRAM-SHA-256${keys.iterations}:{_encode(keys.salt)}${stored}:{server}"


def _is_key(line: str) -> bool:
    return line.partition("\t")[0] == _KEY


def _is_line_of(address: Mailbox, line: str) -> bool:
    if not holds_entry(line) or _is_key(line):
        return False
    return address_key(_parse_secret(line).address) == address_key(address)


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _decode(text: str) -> bytes:
    """Raises: ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("what should be base64 is none") from None
