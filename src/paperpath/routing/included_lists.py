"""The lists in other files that aliases include, read into the aliases.

A list has targets as an alias has them, between commas or a line each. Whoever may write it need not be the
administrator, as long as it names addresses alone (attack L-4). A list that cannot be used stops no alias but
those that include it, whose mail waits then.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from paperpath.mail.address import Mailbox
from paperpath.mail.place import is_place
from paperpath.routing.alias_targets import MistakeError, read_targets
from paperpath.routing.aliases import Alias, Aliases
from paperpath.routing.aliases_text import MOST_TARGETS
from paperpath.service.guarded_text import GuardedTextError, read_guarded
from paperpath.service.watched_file import Sight, look_at

MOST_OCTETS = 2 * 2**20
MOST_DEPTH = 10


class _ListError(Exception):
    """A list cannot be used."""


class _Lists:
    """The lists that were read, each once."""

    def __init__(self, digest: bytes) -> None:
        self.digest = hashlib.sha256(digest)
        self.sights: dict[str, Sight | None] = {}
        self._targets: dict[PurePosixPath, tuple[Mailbox, ...]] = {}
        self._errors: dict[PurePosixPath, _ListError] = {}

    def read(self, file: PurePosixPath, above: tuple[PurePosixPath, ...]) -> tuple[Mailbox, ...]:
        """Return whom a list names, those of the lists that it includes among them. Raises: _ListError."""
        if file in above or len(above) >= MOST_DEPTH:
            raise _ListError(f"{file}: the list includes itself, or goes too deep")
        if file in self._errors:
            raise self._errors[file]
        if file not in self._targets:
            try:
                self._targets[file] = tuple(dict.fromkeys(self._read(file, (*above, file))))
            except _ListError as error:
                self._errors[file] = error
                raise
        return self._targets[file]

    def _read(self, file: PurePosixPath, above: tuple[PurePosixPath, ...]) -> Iterator[Mailbox]:
        self.sights[str(file)] = look_at(str(file))
        try:
            guarded = read_guarded(Path(file), MOST_OCTETS)
        except GuardedTextError as error:
            self.digest.update(str(error).encode())
            raise _ListError(f"{file}: {error}") from error
        self.sights[str(file)] = guarded.sight
        self.digest.update(hashlib.sha256(guarded.text.encode()).digest())
        for number, line in enumerate(guarded.text.split("\n"), 1):
            try:
                for target in read_targets(line.rstrip("\r"), 0):
                    if isinstance(target, PurePosixPath):
                        yield from self.read(target, above)
                    elif is_place(target) and not guarded.is_administrators:
                        raise MistakeError(
                            "expected addresses alone, for others than the administrator may write this"
                        )
                    else:
                        yield target
            except MistakeError as mistake:
                raise _ListError(f"{file}:{number}: {mistake}") from None


def include_lists(aliases: Aliases) -> Aliases:
    """Return the aliases with the targets of the lists that they include."""
    if not any(alias.includes for alias in aliases):
        return aliases
    lists = _Lists(aliases.digest)
    found = [_include(alias, lists) if alias.includes else alias for alias in aliases]
    return Aliases(found, lists.digest.digest(), lists.sights)


def _include(alias: Alias, lists: _Lists) -> Alias:
    targets = dict.fromkeys(alias.targets)
    try:
        for file in alias.includes:
            targets |= dict.fromkeys(lists.read(file, ()))
    except _ListError as error:
        return replace(alias, trouble=str(error))
    if len(targets) > MOST_TARGETS:
        return replace(alias, trouble=f"expected at most {MOST_TARGETS} targets, got {len(targets)}")
    return replace(alias, targets=tuple(targets))
