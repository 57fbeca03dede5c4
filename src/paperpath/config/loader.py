"""The configuration file, read and checked.

Called by every program when it starts. Either the whole file is right, or `ConfigurationError` has all
that is wrong with it, each mistake with its line and what was expected there.
"""

import os
import re
import shlex
import stat
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from paperpath.config.complaints import explain, find_location, name_key
from paperpath.config.conflicts import find_conflicts
from paperpath.config.dkim_table import anchor_keys
from paperpath.config.dnslistd_table import DnslistdTable
from paperpath.config.fields import Table
from paperpath.config.lines import Location, find_line, scan_lines
from paperpath.config.tables import Configuration

_Table = TypeVar("_Table", bound=Table)

_SYNTAX_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake; `line` counts from 1 and is `None` where the file as a whole is meant."""

    path: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"

    @property
    def place(self) -> str:
        """Where it is."""
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"


class ConfigurationError(Exception):
    """The file cannot be used. `problems` has every mistake found, in the order of the lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Gather the problems, one at least; `str()` gives one line for each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is right: its path, its text, and what it says."""

    path: Path
    text: str
    configuration: Configuration


def load_configuration(path: Path) -> Configuration:
    """Read and check a file. A file that every user of the host may write is refused.

    Raises: ConfigurationError, also for a file that cannot be read.
    """
    return load_document(path).configuration


def load_document(path: Path) -> Document:
    """Read and check a file as `load_configuration` does, and keep its text.

    Raises: ConfigurationError.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            octets = file.read()
    except OSError as error:
        raise _fail(path, None, f"cannot be read: {error.strerror}") from error
    problems = _find_permission_problems(path, mode)
    try:
        text = _decode(octets, path)
        configuration = parse_configuration(text, path)
    except ConfigurationError as error:
        raise ConfigurationError([*problems, *error.problems]) from error
    if problems:
        raise ConfigurationError(problems)
    return Document(path, text, configuration)


def parse_document(text: str, path: Path) -> Document:
    """Check a text as `parse_configuration` does, and keep it. Raises: ConfigurationError."""
    return Document(path, text, parse_configuration(text, path))


def parse_configuration(text: str, path: Path) -> Configuration:
    """Check a text as if it stood in the file `path`, which need not exist.

    Of the outside world, only the current folder matters, and only for a relative path.

    Raises: ConfigurationError.
    """
    document, lines = _parse_document(text, path)
    mistakes = list(find_conflicts(document, lines))
    try:
        configuration = Configuration.model_validate(document)
    except ValidationError as error:
        mistakes += [(find_location(detail), explain(detail)) for detail in error.errors()]
    else:
        if not mistakes:
            return _anchor(configuration, path.parent.absolute())
    placed = [(find_line(lines, location), location, message) for location, message in mistakes]
    raise ConfigurationError(
        Problem(path, line, f"{name_key(location)}: {message}")
        for line, location, message in sorted(placed, key=itemgetter(0))
    )


def _anchor(configuration: Configuration, folder: Path) -> Configuration:
    """Make paths absolute that are relative to the folder of the file."""
    certificates = tuple(
        entry.model_copy(update={"chain": folder / entry.chain, "key": folder / entry.key})
        for entry in configuration.tls.certificate
    )
    tls = configuration.tls.model_copy(update={"certificate": certificates})
    post_office = configuration.post_office
    routes = tuple(_anchor_files(entry, folder) for entry in post_office.route)
    aliases = None if post_office.aliases is None else folder / post_office.aliases
    post_office = post_office.model_copy(update={"aliases": aliases, "route": routes})
    return configuration.model_copy(
        update={
            "dnslistd": configuration.dnslistd and _anchor_zones(configuration.dnslistd, folder),
            "dkim": anchor_keys(configuration.dkim, folder),
            "data": folder / configuration.data,
            "tls": tls,
            "relay": _anchor_files(configuration.relay, folder),
            "submission": configuration.submission and _anchor_files(configuration.submission, folder),
            "canonical": _anchor_files(configuration.canonical, folder),
            "post_office": post_office,
            "remote": _anchor_files(configuration.remote, folder),
        }
    )


def _anchor_zones(table: DnslistdTable, folder: Path) -> DnslistdTable:
    return table.model_copy(update={"zone": tuple(_anchor_files(entry, folder) for entry in table.zone)})


def _anchor_files(table: _Table, folder: Path) -> _Table:
    """Make absolute whatever paths a table has."""
    paths = {key: value for key, value in table if isinstance(value, Path)}
    return table.model_copy(update={key: folder / path for key, path in paths.items()})


def _parse_document(text: str, path: Path) -> tuple[dict[str, Any], dict[Location, int]]:
    try:
        return tomllib.loads(text), scan_lines(text)
    except RecursionError as error:
        raise _fail(path, None, "is nested too deeply") from error
    except ValueError as error:  # a TOMLDecodeError, or an integer of thousands of digits
        raise _fail(path, *_place_syntax_error(str(error), text)) from error


def _place_syntax_error(message: str, text: str) -> tuple[int | None, str]:
    place = _SYNTAX_PLACE.search(message)
    if place is None:
        return None, f"cannot be read: {message}"
    reason = message[: place.start()]
    if place[1]:
        return int(place[1]), f"column {place[2]}: {reason}"
    last = text.split("\n")
    return len(last), f"column {len(last[-1]) + 1}: {reason} at the end of the file"


def _decode(octets: bytes, path: Path) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise _fail(path, line, f"expected UTF-8, got the octet {octets[error.start]:#04x}") from error


def _find_permission_problems(path: Path, mode: int) -> list[Problem]:
    if not mode & stat.S_IWOTH:
        return []
    command = f"chmod o-w {shlex.quote(str(path))}"
    return [Problem(path, None, f"every user of this host may write it; run: {command}")]


def _fail(path: Path, line: int | None, message: str) -> ConfigurationError:
    return ConfigurationError([Problem(path, line, message)])
