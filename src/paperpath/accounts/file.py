"""The accounts: a text file of lines `address<TAB>folder`, which people may edit and programs replace whole.

`paperpath account` writes it; the ways in, the post office and local delivery read it and notice when it was
replaced. The folder is fixed when the account is made (promise P7): it is relative to the root of the
mailboxes, and no address that comes from outside is ever made into a path.
"""

import fcntl
import string
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from paperpath.mail.address import AddressError, Mailbox, domain_key, parse_mailbox
from paperpath.service.durable import replace_text

_HEADING = "# One account a line: address, tab, folder below the root of the mailboxes.\n"
_MOST_PART_OCTETS = 255
_SAFE = frozenset(string.ascii_letters + string.digits + "_+=-.")


class AccountsError(Exception):
    """The file cannot be read or an account not be changed; the text names the line where one is to blame."""


@dataclass(frozen=True, slots=True)
class Account:
    """One mailbox: its address, and its folder relative to the root."""

    address: Mailbox
    folder: PurePosixPath


class Accounts:
    """All accounts of one moment."""

    def __init__(self, accounts: Mapping[tuple[str, str], Account]) -> None:
        """Index them; the keys are made by `_make_key`."""
        self._exact = accounts
        self._folded = {(_fold(local), domain): account for (local, domain), account in accounts.items()}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._exact.values())

    def find(self, address: Mailbox) -> Account | None:
        """Return whose mailbox an address is: spelt exactly so, else in any case (requirement E-5)."""
        local, domain = _make_key(address)
        return self._exact.get((local, domain)) or self._folded.get((_fold(local), domain))

    def find_exact(self, address: Mailbox) -> Account | None:
        """Return the account that is spelt exactly so; `joe` and `Joe` may be two."""
        return self._exact.get(_make_key(address))


def parse_accounts(text: str) -> Accounts:
    """Read the file's text. Raises: AccountsError, with the line."""
    found: dict[tuple[str, str], Account] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            account = _parse_line(line)
        except ValueError as error:
            raise AccountsError(f"line {number}: {error}") from None
        key = _make_key(account.address)
        if key in found:
            raise AccountsError(f"line {number}: {account.address} stands here twice")
        found[key] = account
    return Accounts(found)


class AccountsFile:
    """The accounts as the file has them now; each call of `read` notices a replaced file."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises: AccountsError."""
        self._file = file
        self._seen = self._look()
        self._accounts = load_accounts(file)
        self._trouble: str | None = None

    def read(self) -> Accounts:
        """Return the accounts; a file that was broken since keeps the old ones in force."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                accounts = load_accounts(self._file)
            except AccountsError as error:
                self._trouble = str(error)
            else:
                self._take(accounts, seen)
        return self._accounts

    def take_trouble(self) -> str | None:
        """Return, once, why the file as it is now could not be read."""
        trouble, self._trouble = self._trouble, None
        return trouble

    def _take(self, accounts: Accounts, seen: tuple[int, int, int] | None) -> None:
        """Put new accounts in force, unless the file is gone or empty: somebody is just writing it anew."""
        if (seen is None or seen[2] == 0) and any(self._accounts):
            self._trouble = f"{self._file} is missing or empty"
        else:
            self._accounts = accounts
            self._trouble = None

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def load_accounts(file: Path) -> Accounts:
    """Read a file; one that is not there holds nobody. Raises: AccountsError."""
    try:
        if file.stat().st_mode & 0o002:
            raise AccountsError(f"{file} may be written by anyone; run: chmod o-w {file}")
        return parse_accounts(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Accounts({})
    except (OSError, UnicodeDecodeError) as error:
        raise AccountsError(f"{file}: {error}") from error
    except AccountsError as error:
        raise AccountsError(f"{file}: {error}") from None


def add_account(file: Path, address: Mailbox) -> Account:
    """Add an account and return it; flushed. Raises: AccountsError, if there is one of that name already."""
    with _replacing(file) as lines:
        accounts = parse_accounts("".join(lines))
        if (there := accounts.find_exact(address)) is not None:
            raise AccountsError(f"there is an account {there.address} already")
        account = Account(address, _make_folder(address))
        if any(other.folder == account.folder for other in accounts):
            raise AccountsError(f"the folder {account.folder} belongs to another account")
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        lines.append(f"{account.address}\t{account.folder}\n")
    return account


def remove_account(file: Path, address: Mailbox) -> Account:
    """Remove an account and return it; its mail stays where it is. Raises: AccountsError."""
    with _replacing(file) as lines:
        account = parse_accounts("".join(lines)).find_exact(address)
        if account is None:
            raise AccountsError(f"there is no account {address}")
        lines[:] = [line for line in lines if not _is_line_of(account, line)]
    return account


def _make_key(address: Mailbox) -> tuple[str, str]:
    """Return what tells accounts apart: whichever way a letter was composed, NFC is one (RFC 6531 §3.3)."""
    return unicodedata.normalize("NFC", address.local), domain_key(address.domain)


def _fold(local: str) -> str:
    """Return a local part as it compares in any case (Unicode, D145: canonical caseless matching)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local).casefold())


def _is_line_of(account: Account, line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#") and _parse_line(line) == account


def _parse_line(line: str) -> Account:
    fields = line.rstrip("\n").split("\t")
    if len(fields) != 2:
        raise ValueError("expected an address, one tab and a folder")
    try:
        address = parse_mailbox(fields[0])
    except AddressError as error:
        raise ValueError(f"{fields[0]!r}: {error}") from None
    if not address.domain:
        raise ValueError(f"{fields[0]!r}: the address has no domain")
    folder = PurePosixPath(fields[1])
    climbs = folder.is_absolute() or ".." in folder.parts or not folder.parts
    if climbs or not fields[1].isprintable():
        raise ValueError(f"{fields[1]!r}: expected a folder below the root of the mailboxes")
    return Account(address, folder)


def _make_folder(address: Mailbox) -> PurePosixPath:
    local, domain = _make_key(address)
    return PurePosixPath(_path_part(domain), _path_part(local))


def _path_part(text: str) -> str:
    """Make one path part of any text, unlike texts unlike parts; a leading dot would be hidden or climb."""
    encoded = "".join(
        character if character in _SAFE else "".join(f"%{octet:02X}" for octet in character.encode())
        for character in text
    )
    part = "%2E" + encoded[1:] if encoded.startswith(".") else encoded
    if len(part) > _MOST_PART_OCTETS:
        raise AccountsError("the address is too long for the name of a folder")
    return part


@contextmanager
def _replacing(file: Path) -> Iterator[list[str]]:
    """Give the file's lines to change, then put a new file in its place, one writer at a time."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            lines = [_HEADING]
        yield lines
        text = "".join(lines)
        parse_accounts(text)
        replace_text(file, text)
