"""The accounts: a text file of lines, which people may edit and programs replace whole.

A line is `address<TAB>folder`, and behind another tab, where there are any, the folders in the mailbox that
the detail of an address may select: `Work,Lists.Python`. Behind those, each behind a tab, stands what else is
set for the account (settings.py); then nothing need stand between the second tab and the third.

`paperpath account` writes it; the ways in, the post office and local delivery read it and notice when it was
replaced. The folder is fixed when the account is made (promise P7): it is relative to the root of the
mailboxes, and no address that comes from outside is ever made into a path.
"""

import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from paperpath.accounts.directory import Directory, address_key
from paperpath.accounts.lines import AccountsError as AccountsError  # who handles accounts finds it here
from paperpath.accounts.lines import holds_entry, parse_entries, parse_entry_address, replacing
from paperpath.accounts.settings import NO_SETTINGS, Settings, format_settings, parse_settings
from paperpath.mail.address import Mailbox
from paperpath.service.watched_file import WatchedFile

_HEADING = "# One account a line: address, tab, folder below the root of the mailboxes.\n"
_SUBFOLDER = re.compile(r"[A-Za-z0-9_+=-]+(?:\.[A-Za-z0-9_+=-]+)*")
_MOST_PART_OCTETS = 255
_SAFE = frozenset(string.ascii_letters + string.digits + "_+=-.")


@dataclass(frozen=True, slots=True)
class Account:
    """One mailbox: its address, its folder relative to the root, and the folders in it that it lists.

    `settings`: what else becomes of its mail.
    """

    address: Mailbox
    folder: PurePosixPath
    subfolders: tuple[str, ...] = ()
    settings: Settings = NO_SETTINGS

    def find_subfolder(self, detail: str) -> str:
        """Return the listed folder that a detail selects, spelt so or in any case; empty for none."""
        if detail in self.subfolders:
            return detail
        folded = detail.lower()
        return next((name for name in self.subfolders if name.lower() == folded), "")


class Accounts(Directory[Account]):
    """All accounts of one moment."""


def parse_accounts(text: str) -> Accounts:
    """Read the file's text. Raises: AccountsError, with the line."""
    return Accounts(parse_entries(text.splitlines(), _parse_line))


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


def add_account(
    file: Path, address: Mailbox, subfolders: Sequence[str] = (), settings: Settings = NO_SETTINGS
) -> Account:
    """Add an account and return it; flushed. Raises: AccountsError, if there is one of that name already."""
    with replacing(file, _HEADING, parse_accounts) as lines:
        accounts = parse_accounts("".join(lines))
        if (there := accounts.find_exact(address)) is not None:
            raise AccountsError(f"there is an account {there.address} already")
        try:
            account = Account(address, _make_folder(address), _check_subfolders(subfolders), settings)
        except ValueError as error:
            raise AccountsError(str(error)) from None
        if any(other.folder == account.folder for other in accounts):
            raise AccountsError(f"the folder {account.folder} belongs to another account")
        lines.append(_format_line(account))
    return account


def change_settings(file: Path, address: Mailbox, change: Callable[[Settings], Settings]) -> Account:
    """Change what is set for an account, and return it; flushed. Raises: AccountsError."""
    with replacing(file, _HEADING, parse_accounts) as lines:
        account = parse_accounts("".join(lines)).find_exact(address)
        if account is None:
            raise AccountsError(f"there is no account {address}")
        changed = replace(account, settings=change(account.settings))
        lines[:] = [_format_line(changed) if _is_line_of(account, line) else line for line in lines]
    return changed


def remove_account(file: Path, address: Mailbox) -> Account:
    """Remove an account and return it; its mail stays where it is. Raises: AccountsError."""
    with replacing(file, _HEADING, parse_accounts) as lines:
        account = parse_accounts("".join(lines)).find_exact(address)
        if account is None:
            raise AccountsError(f"there is no account {address}")
        lines[:] = [line for line in lines if not _is_line_of(account, line)]
    return account


def _is_line_of(account: Account, line: str) -> bool:
    return holds_entry(line) and _parse_line(line) == account


def _parse_line(line: str) -> Account:
    fields = line.rstrip("\n").split("\t")
    if len(fields) < 2 or fields[-1] == "":
        raise ValueError("expected an address, one tab and a folder, or those, a tab and the folders in it")
    address = parse_entry_address(fields[0])
    folder = PurePosixPath(fields[1])
    climbs = folder.is_absolute() or ".." in folder.parts or not folder.parts
    if climbs or not fields[1].isprintable():
        raise ValueError(f"{fields[1]!r}: expected a folder below the root of the mailboxes")
    subfolders = fields[2].split(",") if fields[2:] and fields[2] else ()
    return Account(address, folder, _check_subfolders(subfolders), parse_settings(fields[3:]))


def _format_line(account: Account) -> str:
    fields = [str(account.address), str(account.folder), ",".join(account.subfolders)]
    fields += format_settings(account.settings)
    return "\t".join(fields).rstrip("\t") + "\n"


def _check_subfolders(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if _SUBFOLDER.fullmatch(name) is None or len(name) >= _MOST_PART_OCTETS:
            raise ValueError(f"{name!r}: expected a folder in the mailbox, such as Work or Lists.Python")
    return tuple(names)


def _make_folder(address: Mailbox) -> PurePosixPath:
    local, domain = address_key(address)
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
