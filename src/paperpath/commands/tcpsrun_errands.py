"""What tcpsrun runs for a client: by its rules, and by its run file or command line, as they are now.

A file that becomes unusable leaves in force what it said before, and the log says why. For a client that is
denied nothing is run.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from paperpath.commands.run_file import Marks, RunFileError, load_run_file, substitute
from paperpath.config.loader import Problem
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_file import Access, AccessError, parse_rules, read_rules_text
from paperpath.intake.access_rules import AccessRules
from paperpath.intake.client_names import ClientNames
from paperpath.intake.list_means import Remembers
from paperpath.intake.ucspi import Address, clean_address, describe_connection
from paperpath.service import notify, watchdog
from paperpath.service.errors import ServiceError
from paperpath.service.log import Log
from paperpath.service.spawner import Errand
from paperpath.service.watched_file import WatchedFile

_OPENNESS = "would make nearly everyone privileged; expected the networks of clients that you know"
_OURS_ALONE = (notify.VARIABLE, watchdog.VARIABLE, watchdog.PROCESS_VARIABLE)


@dataclass(frozen=True, slots=True)
class Source:
    """Where it stands: the command in `words`, or in a run file; who may what in the file of the rules."""

    words: Sequence[str] = ()
    run_file: Path | None = None
    rules: Path | None = None


class Errands:
    """Chooses for each client."""

    def __init__(self, source: Source, resolver: Remembers, log: Log) -> None:
        """Read the files that are named. `resolver`: for rules that name hosts. Raises: ServiceError."""
        self._log = log
        self._words = source.words
        self._name = "" if source.run_file is None else str(source.run_file)
        self._environment = {name: value for name, value in os.environ.items() if name not in _OURS_ALONE}
        self._file: WatchedFile[tuple[str, ...]] | None = None
        self._access: Access | None = None
        try:
            if source.run_file is not None:
                self._file = WatchedFile(source.run_file, load_run_file, RunFileError)
            if source.rules is not None:
                self._access = Access((), WatchedFile(source.rules, _load_rules, AccessError), log)
            substitute(self._read_words(), Marks(0, self._name, None if source.rules is None else 0))
        except (RunFileError, AccessError) as error:
            raise ServiceError(str(error), os.EX_CONFIG) from error
        self._names = None if self._access is None else ClientNames(self._access, resolver)

    async def choose(self, connection: socket.socket, log: Log) -> Errand | None:
        """Say what to run for a connection; `None`: nothing."""
        try:
            remote, local = _read_address(connection.getpeername()), _read_address(connection.getsockname())
        except OSError:  # it is gone already
            return None
        service, words = await self._classify(remote[0], log), self._read_words()
        if service is ServiceClass.DENY:
            log.info("denied")
            return None
        level = None if service is None else service.level
        try:
            command = substitute(words, Marks(local[1], self._name, level))
        except RunFileError as error:
            log.error("cannot run", reason=str(error))
            return None
        return Errand(command, describe_connection(self._environment, local, remote, level))

    async def _classify(self, address: str, log: Log) -> ServiceClass | None:
        if self._access is None or self._names is None:
            return None
        wanted = self._names.are_wanted(address)
        names = await self._names.find(address, log) if wanted else ()
        return self._access.read().classify(address, names)

    def _read_words(self) -> Sequence[str]:
        if self._file is None:
            return self._words
        words = self._file.read()
        if (trouble := self._file.take_trouble()) is not None:
            self._log.error("file unreadable, what it said before stays in force", reason=trouble)
        return words


def _load_rules(file: Path) -> AccessRules:
    rules = parse_rules(read_rules_text(file), file)
    if (widest := rules.find_openness()) is not None:  # promise P7
        raise AccessError([Problem(file, widest.line, f'"{widest.clients}" {_OPENNESS}')])
    return rules


def _read_address(name: tuple[str, int]) -> Address:
    return clean_address(name[0]), name[1]
