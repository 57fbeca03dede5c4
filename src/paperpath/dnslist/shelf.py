"""The lists that are published, as their files have them now.

Made by dnslistd, and made anew with each configuration. A file that was replaced is read by `look`, beside
the event loop; with a mistake in it, what it said before is published on.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from paperpath.config.dnslistd_table import ZoneEntry
from paperpath.config.tables import Configuration
from paperpath.dnslist.answering import Zones
from paperpath.dnslist.list_file import ListFile, ListFileError
from paperpath.dnslist.zone import Zone, make_zone
from paperpath.service.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Change:
    """What came of a file that was replaced: a new zone, or the trouble with it."""

    name: str
    zone: Zone | None = None
    trouble: str = ""


@dataclass(slots=True)
class _Book:
    settings: ZoneEntry
    file: ListFile
    zone: Zone
    is_broken: bool = False


class Shelf:
    """All lists of one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        """Read the files. Raises: ServiceError, with what is wrong in all of them."""
        self._configuration = configuration
        self._books: list[_Book] = []
        self.zones: Zones = {}
        mistakes: list[str] = []
        table = configuration.dnslistd
        for settings in () if table is None else table.zone:
            try:
                file = ListFile(settings.file)
            except ListFileError as error:
                mistakes += map(str, error.problems)
            else:
                self._books.append(_Book(settings, file, make_zone(configuration, settings, file.read())))
        if mistakes:
            raise ServiceError("\n".join(mistakes), os.EX_CONFIG)
        self._publish()

    @property
    def broken(self) -> dict[str, bool]:
        """Whether the file of each list, as it is now, could not be read."""
        return {book.settings.name: book.is_broken for book in self._books}

    @property
    def entries(self) -> dict[str, int]:
        """How many lines each list has."""
        return {book.settings.name: book.zone.entries.entries for book in self._books}

    def look(self) -> Sequence[Change]:
        """Look whether files were replaced, and publish what they say now."""
        changes = [change for book in self._books for change in self._look_at(book)]
        if any(change.zone is not None for change in changes):
            self._publish()
        return changes

    def _look_at(self, book: _Book) -> Sequence[Change]:
        entries = book.file.read()
        trouble = book.file.take_trouble()
        if trouble is not None:
            book.is_broken = True
            return [Change(book.settings.name, trouble=trouble)]
        if entries is book.zone.entries:
            return []
        book.is_broken = False
        book.zone = make_zone(self._configuration, book.settings, entries)
        return [Change(book.settings.name, book.zone)]

    def _publish(self) -> None:
        self.zones = {book.zone.name: book.zone for book in self._books}
