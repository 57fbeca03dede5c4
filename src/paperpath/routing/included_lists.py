"""The lists in other files that aliases include, read into the aliases.

A list has targets as an alias has them, between commas or a line each. Whoever may write it need not be the
administrator, as long as it names addresses alone, by the lists that it includes too; so it is with one that
a link leads to, which anybody may have laid to a file of the administrator's (attack L-4). A list that cannot
be used stops no alias but those that include it, whose mail waits then.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath

from paperpath.mail.address import Mailbox
from paperpath.routing.alias_targets import MistakeError, read_targets
from paperpath.routing.aliases import Alias, Aliases
from paperpath.routing.aliases_text import MOST_TARGETS
from paperpath.routing.own_targets import is_own_target
from paperpath.service.guarded_text import GuardedTextError, read_guarded
from paperpath.service.watched_file import Sight, look_at

MOST_OCTETS = 2 * 2**20
MOST_DEPTH = 10

_MOST_NAMED = 10 * MOST_TARGETS


class _ListError(Exception):
    """A list cannot be used."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A list, and whether whoever includes it may name programs and files."""

    file: PurePosixPath
    is_trusted: bool


class _Lists:
    """The lists that were read, each once."""

    def __init__(self, digest: bytes) -> None:
        self.digest = hashlib.sha256(digest)
        self.sights: dict[str, Sight | None] = {}
        self._found: dict[_Use, tuple[Mailbox, ...] | _ListError] = {}

    def read(self, use: _Use, above: tuple[PurePosixPath, ...]) -> tuple[Mailbox, ...]:
        """Return whom a list names, those of the lists that it includes among them. Raises: _ListError."""
        if use.file in above or len(above) >= MOST_DEPTH:
            raise _ListError(f"{use.file}: the list includes itself, or goes too deep")
        if use not in self._found:
            try:
                self._found[use] = self._gather(use, (*above, use.file))
            except _ListError as error:
                self._found[use] = error
        found = self._found[use]
        if isinstance(found, _ListError):
            raise found
        return found

    def _gather(self, use: _Use, above: tuple[PurePosixPath, ...]) -> tuple[Mailbox, ...]:
        """Read the targets of a list; they end where nobody can mean so many, however often each is named."""
        targets = tuple(dict.fromkeys(islice(self._read(use, above), _MOST_NAMED)))
        if len(targets) > MOST_TARGETS:
            raise _ListError(f"{use.file}: expected at most {MOST_TARGETS} targets")
        return targets

    def _read(self, use: _Use, above: tuple[PurePosixPath, ...]) -> Iterator[Mailbox]:
        file = use.file
        self.sights[str(file)] = look_at(str(file))
        try:
            guarded = read_guarded(Path(file), MOST_OCTETS)
        except GuardedTextError as error:
            self.digest.update(str(error).encode())
            raise _ListError(f"{file}: {error}") from error
        self.sights[str(file)] = guarded.sight
        is_trusted = use.is_trusted and guarded.is_administrators and guarded.path == str(file)
        self.digest.update(hashlib.sha256(guarded.text.encode()).digest())
        for number, line in enumerate(guarded.text.split("\n"), 1):
            try:
                for target in read_targets(line.rstrip("\r"), 0):
                    if isinstance(target, PurePosixPath):
                        yield from self.read(_Use(target, is_trusted), above)
                    elif is_own_target(target) and not is_trusted:
                        raise MistakeError("expected addresses alone in what is not the administrator's")
                    else:
                        yield target
            except MistakeError as mistake:
                raise _ListError(f"{file}:{number}: {mistake}") from None


def include_lists(aliases: Aliases, *, is_trusted: bool) -> Aliases:
    """Return aliases with the targets of their lists, addresses alone unless the aliases are trusted."""
    if not any(alias.includes for alias in aliases):
        return aliases
    lists = _Lists(aliases.digest)
    found = [_include(alias, lists, is_trusted) if alias.includes else alias for alias in aliases]
    return Aliases(found, lists.digest.digest(), lists.sights)


def _include(alias: Alias, lists: _Lists, is_trusted: bool) -> Alias:
    targets = dict.fromkeys(alias.targets)
    try:
        for file in alias.includes:
            targets |= dict.fromkeys(lists.read(_Use(file, is_trusted), ()))
    except _ListError as error:
        return replace(alias, trouble=str(error))
    if len(targets) > MOST_TARGETS:
        return replace(alias, trouble=f"expected at most {MOST_TARGETS} targets, got {len(targets)}")
    return replace(alias, targets=tuple(targets))
