"""A text file with an entry a line, which people may edit and programs replace whole.

What the accounts and the secrets have in common.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from paperpath.accounts.directory import EntryType, address_key
from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.service.edited_file import editing

Key = tuple[str, str]


class AccountsError(Exception):
    """The file cannot be read or an account not be changed; the text names the line where one is to blame."""


def holds_entry(line: str) -> bool:
    """Tell whether a line is more than blank or a comment."""
    return bool(line.strip()) and not line.startswith("#")


def parse_entries(
    lines: Sequence[str], parse_line: Callable[[str], EntryType | None]
) -> dict[Key, EntryType]:
    """Read the entries; where `parse_line` gives `None` the line is no entry. Raises: AccountsError."""
    found: dict[Key, EntryType] = {}
    for number, line in enumerate(lines, 1):
        if not holds_entry(line):
            continue
        try:
            entry = parse_line(line)
        except ValueError as error:
            raise AccountsError(f"line {number}: {error}") from None
        if entry is None:
            continue
        if found.setdefault(address_key(entry.address), entry) is not entry:
            raise AccountsError(f"line {number}: {entry.address} stands here twice")
    return found


def parse_entry_address(text: str) -> Mailbox:
    """Read the address that an entry begins with. Raises: ValueError."""
    try:
        address = parse_mailbox(text)
    except AddressError as error:
        raise ValueError(f"{text!r}: {error}") from None
    if not address.domain:
        raise ValueError(f"{text!r}: the address has no domain")
    return address


@contextmanager
def replacing(file: Path, heading: str, check: Callable[[str], object]) -> Iterator[list[str]]:
    """Give the file's lines to change, then put a new file in its place, flushed, one writer at a time.

    `check` raises AccountsError for a text that must not be written. A file that is not there yet has the
    heading alone. Raises: AccountsError.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with editing(file, heading) as lines:
            yield lines
            check("".join(lines))
    except OSError as error:
        raise AccountsError(f"{file}: {error.strerror}") from error
