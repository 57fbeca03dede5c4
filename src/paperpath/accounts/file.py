"""The accounts: a text file of lines, which people may edit and programs replace whole.

A line is `address<TAB>folder`, and behind another tab, where there are any, the folders in the mailbox that
the detail of an address may select: `Work,Lists.Python`.

`paperpath account` writes it; the ways in, the post office and local delivery read it and notice when it was
replaced. The folder is fixed when the account is made (promise P7): it is relative to the root of the
mailboxes, and no address that comes from outside is ever made into a path.
"""

import fcntl
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from paperpath.mail.address import AddressError, Mailbox, domain_key, parse_mailbox
from paperpath.mail.local_part import fold_local, local_key
from paperpath.service.durable import replace_text
from paperpath.service.watched_file import WatchedFile

_HEADING = "# One account a line: address, tab, folder below the root of the mailboxes.\n"
_SUBFOLDER = re.compile(r"[A-Za-z0-9_+=-]+(?:\.[A-Za-z0-9_+=-]+)*")
_MOST_PART_OCTETS = 255
_SAFE = frozenset(string.ascii_letters + string.digits + "_+=-.")


class AccountsError(Exception):
    """The file cannot be read or an account not be changed; the text names the line where one is to blame."""


@dataclass(frozen=True, slots=True)
class Account:
    """One mailbox: its address, its folder relative to the root, and the folders in it that it lists."""

    address: Mailbox
    folder: PurePosixPath
    subfolders: tuple[str, ...] = ()

    def find_subfolder(self, detail: str) -> str:
        """Return the listed folder that a detail selects, spelt so or in any case; empty for none."""
        if detail in self.subfolders:
            return detail
        folded = detail.lower()
        return next((name for name in self.subfolders if name.lower() == folded), "")


class Accounts:
    """All accounts of one moment."""

    def __init__(self, accounts: Mapping[tuple[str, str], Account]) -> None:
        """Index them; the keys are made by `_make_key`."""
        self._exact = accounts
        self._folded = {(fold_local(local), domain): account for (local, domain), account in accounts.items()}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._exact.values())

    def find(self, address: Mailbox) -> Account | None:
        """Return whose mailbox an address is: spelt exactly so, else in any case (requirement E-5)."""
        local, domain = _make_key(address)
        return self._exact.get((local, domain)) or self._folded.get((fold_local(local), domain))

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


class AccountsFile(WatchedFile[Accounts]):
    """The accounts as the file has them now."""

    def __init__(self, file: Path) -> None:
        """Read the file. Raises: AccountsError."""
        super().__init__(file, load_accounts, AccountsError)


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


def add_account(file: Path, address: Mailbox, subfolders: Sequence[str] = ()) -> Account:
    """Add an account and return it; flushed. Raises: AccountsError, if there is one of that name already."""
    with _replacing(file) as lines:
        accounts = parse_accounts("".join(lines))
        if (there := accounts.find_exact(address)) is not None:
            raise AccountsError(f"there is an account {there.address} already")
        try:
            account = Account(address, _make_folder(address), _check_subfolders(subfolders))
        except ValueError as error:
            raise AccountsError(str(error)) from None
        if any(other.folder == account.folder for other in accounts):
            raise AccountsError(f"the folder {account.folder} belongs to another account")
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += "\n"
        listed = f"\t{','.join(account.subfolders)}" if account.subfolders else ""
        lines.append(f"{account.address}\t{account.folder}{listed}\n")
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
    """Return what tells accounts apart."""
    return local_key(address.local), domain_key(address.domain)


def _is_line_of(account: Account, line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#") and _parse_line(line) == account


def _parse_line(line: str) -> Account:
    fields = line.rstrip("\n").split("\t")
    if len(fields) not in (2, 3):
        raise ValueError("expected an address, one tab and a folder, or those, a tab and the folders in it")
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
    return Account(address, folder, _check_subfolders(fields[2].split(",") if len(fields) == 3 else ()))


def _check_subfolders(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if _SUBFOLDER.fullmatch(name) is None or len(name) >= _MOST_PART_OCTETS:
            raise ValueError(f"{name!r}: expected a folder in the mailbox, such as Work or Lists.Python")
    return tuple(names)


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
