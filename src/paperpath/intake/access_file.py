"""The access rules of a way in: those of the configuration, and those of its rules file as it is now.

Used by the ways in, and by the commands that look at the rules. A file that becomes unusable leaves in force
what it said before. One that would make an open relay, with the configuration, is refused (promise P7).
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from paperpath.config.access_conflicts import OPENNESS
from paperpath.config.intake_tables import IntakeTable
from paperpath.config.loader import Problem
from paperpath.config.tables import Configuration
from paperpath.intake.access_rules import AccessRule, AccessRules, list_configured
from paperpath.intake.access_text import AccessTextError, parse_access
from paperpath.service.collector import collector_at_rest
from paperpath.service.errors import ServiceError
from paperpath.service.guarded_text import GuardedTextError, read_guarded_text
from paperpath.service.log import Log
from paperpath.service.watched_file import WatchedFile

MOST_OCTETS = 64 * 2**20


class AccessError(Exception):
    """The file cannot be used. `problems` has what is wrong, in the order of the lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Gather the problems, one at least; `str()` gives one line for each."""
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Access:
    """The rules of one way in."""

    def __init__(
        self,
        configured: Sequence[AccessRule],
        file: WatchedFile[AccessRules] | None = None,
        log: Log | None = None,
    ) -> None:
        """Take the rules of a configuration; of the file all of them, those of the configuration included."""
        self._rules = AccessRules(configured)
        self._file = file
        self._log = log

    def read(self) -> AccessRules:
        """Return the rules of this moment."""
        if self._file is None:
            return self._rules
        rules = self._file.read()
        trouble = self._file.take_trouble()
        if trouble is not None and self._log is not None:
            self._log.error("file unreadable, what it said before stays in force", reason=trouble)
        return rules


def open_access(table: IntakeTable, way_in: str, log: Log | None = None) -> Access:
    """Read the rules of a table of the configuration, whose name is `way_in`.

    `log` is told when the file becomes unusable. Raises: ServiceError.
    """
    configured = list_configured(table, way_in)
    if table.access_file is None:
        return Access(configured)

    def load(file: Path) -> AccessRules:
        return read_all_rules(read_rules_text(file), table, way_in)

    try:
        return Access(configured, WatchedFile(table.access_file, load, AccessError), log)
    except AccessError as error:
        raise ServiceError(str(error), os.EX_CONFIG) from error


def open_all_access(configuration: Configuration) -> dict[str, Access]:
    """Read the rules of each way in that there is. Raises: ServiceError."""
    tables = {"relay": configuration.relay, "submission": configuration.submission}
    return {way_in: open_access(table, way_in) for way_in, table in tables.items() if table is not None}


def read_all_rules(text: str, table: IntakeTable, way_in: str) -> AccessRules:
    """Read the text of the rules file of a table; return its rules with those of the configuration.

    Raises: AccessError.
    """
    file = table.access_file
    assert file is not None
    rules = parse_rules(text, file, list_configured(table, way_in))
    if not table.open_relay and (widest := rules.find_openness()) is not None:
        message = f'"{widest.clients}" {OPENNESS.format(way_in)}'
        raise AccessError([Problem(Path(widest.source), widest.line, message)])
    return rules


def read_rules_text(file: Path) -> str:
    """Return the text of a rules file. Raises: AccessError."""
    try:
        return read_guarded_text(file, MOST_OCTETS)
    except GuardedTextError as error:
        raise AccessError([Problem(file, error.line, str(error))]) from error


def parse_rules(text: str, file: Path, configured: Sequence[AccessRule] = ()) -> AccessRules:
    """Read the text of a rules file; return its rules with those that are configured. Raises: AccessError."""
    try:
        with collector_at_rest():
            return AccessRules([*configured, *parse_access(text, str(file))])
    except AccessTextError as error:
        raise AccessError(Problem(file, line, message) for line, message in error.mistakes) from None
