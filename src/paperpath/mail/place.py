"""What an alias may name beside addresses: a program, a file or a folder of this host.

Such a place stands where the address of a recipient stands: a mailbox without a domain, whose local part is
`|` and a command line, or an absolute path. No address that comes from outside is without a domain but the
bare `Postmaster`; and the router believes a place only where an alias names it (attack L-4).
"""

import shlex
from contextlib import suppress
from pathlib import PurePosixPath

from paperpath.mail.address import MOST_LOCAL_OCTETS, AddressError, Mailbox, parse_local_part, parse_mailbox

PROGRAM_MARK = "|"
FILE_MARK = "/"


class PlaceError(ValueError):
    """The text names no place; `str()` says what was expected."""


def is_place(address: Mailbox) -> bool:
    """Tell whether a recipient is a place."""
    return not address.domain and address.local.startswith((PROGRAM_MARK, FILE_MARK))


def is_program(address: Mailbox) -> bool:
    """Tell whether a recipient is a place that is a program."""
    return is_place(address) and address.local.startswith(PROGRAM_MARK)


def check_place(text: str) -> Mailbox:
    """Return a place as a recipient. Raises: PlaceError."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_LOCAL_OCTETS or not text.isprintable():
        raise PlaceError(f"expected at most {MOST_LOCAL_OCTETS} octets that can be printed")
    if text.startswith(PROGRAM_MARK):
        split_command(text)
    elif not text.startswith(FILE_MARK) or ".." in text.split("/") or not PurePosixPath(text).name:
        raise PlaceError("expected the absolute path of a file, or of a folder with a slash at its end")
    return Mailbox(text, "")


def split_command(text: str) -> list[str]:
    """Return the program of a place and its arguments, split as a shell would, which there is none of.

    Raises: PlaceError.
    """
    try:
        command = shlex.split(text.removeprefix(PROGRAM_MARK))
    except ValueError as error:
        raise PlaceError(f"expected a program and its arguments: {error}") from None
    if not command or not command[0].startswith("/"):
        raise PlaceError("expected the absolute path of a program")
    return command


def parse_recipient(text: str) -> Mailbox:
    """Read an address or a place as the maildrop holds it, the inverse of `format_mailbox`.

    Raises: AddressError.
    """
    try:
        return parse_mailbox(text)
    except AddressError:
        with suppress(AddressError):
            if is_place(place := Mailbox(parse_local_part(text), "")):
                return place
        raise
