"""What an alias may stand for: an address, a place of this host, an agent, or a list in another file; pure.

    x, x@else.example                       # addresses; without a domain at that of the recipient
    "|/usr/bin/archive --list staff"        # a program, without a shell
    /var/mail/archive, /var/mail/archive/   # a file in mbox form; a Maildir
    agent:archive                           # an agent of the configuration
    :include:/etc/paperpath/staff           # those whom the file lists

Used by the texts of aliases and of the lists that they include.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from paperpath.config.agent_name import is_agent_way, parse_agent_way
from paperpath.config.command_line import parse_command
from paperpath.config.complaints import show_value
from paperpath.mail.address import AddressError, Mailbox, parse_local_part, parse_mailbox
from paperpath.mail.place import FILE_MARK, PROGRAM_MARK, check_place, split_command
from paperpath.routing.own_targets import make_agent_target

QUOTED = r'"(?:[^"\\]|\\.)*"'
END = re.compile(r"[ \t]*(?:#.*)?")

_INCLUDE = ":include:"
_BETWEEN = re.compile(r"[ \t]*")
_TARGET = re.compile(rf"(?:{QUOTED}|[^\s,\"])+")


class MistakeError(Exception):
    """What is wrong with the rest of a line."""


def read_targets(line: str, start: int) -> Iterator[Mailbox | PurePosixPath]:
    """Give what stands between commas from an index on: recipients, and the files of lists.

    Raises: MistakeError, once it comes to what it cannot read.
    """
    for text in _split(line, start):
        bare = text.removeprefix('"')
        if bare.startswith(_INCLUDE):
            yield _parse_include(text)
        elif bare.startswith((PROGRAM_MARK, FILE_MARK)) and not _has_domain(text):
            yield _parse_place(text)
        elif is_agent_way(bare) and not _has_domain(text):
            yield _parse_agent(text)
        else:
            yield parse_address(text)


def parse_address(text: str) -> Mailbox:
    """Read an address, with or without a domain. Raises: MistakeError."""
    try:
        return Mailbox(parse_local_part(text), "")
    except AddressError:
        pass
    try:
        return parse_mailbox(text.removesuffix("."))
    except AddressError as error:
        raise MistakeError(f"expected an address, got {show_value(text)}: {error}") from None


def _split(line: str, start: int) -> Iterator[str]:
    at = _skip_blank(line, start)
    while not END.fullmatch(line, at):
        match = _TARGET.match(line, at)
        if match is None:
            what = "an end of the quotes" if line[at] == '"' else "a target"
            raise MistakeError(f"expected {what}, got {show_value(line[at:])}")
        yield match[0]
        at = _skip_blank(line, match.end())
        if line[at : at + 1] == ",":
            at = _skip_blank(line, at + 1)
        elif not END.fullmatch(line, at):
            raise MistakeError(f"expected a comma, got {show_value(line[at:])}")


def _skip_blank(line: str, start: int) -> int:
    match = _BETWEEN.match(line, start)
    assert match is not None
    return match.end()


def _has_domain(text: str) -> bool:
    """Tell whether what looks like a place is an address, as gateways to X.400 have them."""
    try:
        return parse_mailbox(text.removesuffix(".")).domain != ""
    except AddressError:
        return False


def _parse_place(text: str) -> Mailbox:
    try:
        place = check_place(_unquote(text))
        if place.local.startswith(PROGRAM_MARK):
            parse_command(split_command(place.local))
    except ValueError as error:
        raise MistakeError(f"{error}, got {show_value(text)}") from None
    return place


def _parse_agent(text: str) -> Mailbox:
    try:
        return make_agent_target(parse_agent_way(_unquote(text)))
    except ValueError as error:
        raise MistakeError(f"{error}, got {show_value(text)}") from None


def _parse_include(text: str) -> PurePosixPath:
    file = PurePosixPath(_unquote(text).removeprefix(_INCLUDE))
    if not file.is_absolute():
        raise MistakeError(f"expected the absolute path of a list, got {show_value(text)}")
    return file


def _unquote(text: str) -> str:
    """Return a text as it is meant: quoted as a whole, or, as sendmail takes it, behind the mark."""
    if text.startswith(f'{PROGRAM_MARK}"'):
        text = f'"{PROGRAM_MARK}{text[2:]}'
    try:
        return parse_local_part(text)
    except AddressError as error:
        if text.startswith('"'):
            raise MistakeError(f"{error}, got {show_value(text)}") from None
        return text
