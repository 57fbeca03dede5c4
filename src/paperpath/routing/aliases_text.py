"""The text of an aliases file: text in, aliases or all its mistakes out; pure.

    # one entry a line; a line that begins with a space or a tab continues the one above
    name: target, target         # the name at any local domain
    name@example.org: target     # at this domain alone
    @example.org: target         # whoever has neither mailbox nor alias there
    "a name": "a target"@example.net

What may stand for a target is told in alias_targets.py. The lists that are included are not read here.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from paperpath.config.complaints import show_value
from paperpath.mail.address import Mailbox
from paperpath.mail.domain import domain_key, is_address_literal, to_a_labels
from paperpath.mail.local_part import local_key
from paperpath.routing.alias_targets import END, QUOTED, MistakeError, parse_address, read_targets
from paperpath.routing.aliases import Alias, Aliases

MOST_TARGETS = 10_000

_ENTRY_EXPECTED = 'expected "NAME: TARGET, TARGET"'
_NAME = re.compile(rf"((?:{QUOTED}|\[[^\]\s]*\]|[^\s,:\"\[])+)[ \t]*:")


class AliasesTextError(ValueError):
    """The text has mistakes: each with its line, in the order of the lines."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        """Gather them."""
        self.mistakes = sorted(mistakes)
        super().__init__("\n".join(f"{line}: {message}" for line, message in self.mistakes))


def parse_aliases(text: str) -> Aliases:
    """Read the text. Raises: AliasesTextError, with all that is wrong."""
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), 1):
        reading.read_line(line.rstrip("\r"), number)
    reading.finish_entry()
    if reading.mistakes:
        raise AliasesTextError(reading.mistakes)
    return Aliases(reading.aliases, hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


@dataclass(slots=True)
class _Entry:
    local: str
    domain: str
    line: int
    targets: dict[Mailbox | PurePosixPath, None] = field(default_factory=dict)
    is_broken: bool = False


class _Reading:
    """What was read so far, and the entry that the next line may continue."""

    def __init__(self) -> None:
        self.aliases: list[Alias] = []
        self.mistakes: list[tuple[int, str]] = []
        self._lines: dict[tuple[str, str], int] = {}
        self._entry: _Entry | None = None

    def read_line(self, line: str, number: int) -> None:
        if END.fullmatch(line):  # blank, or a comment: the entry above it may go on behind it
            return
        try:
            if line[0] in " \t":
                if self._entry is None:
                    raise MistakeError("expected an entry above the line that continues it")
                self._read_targets(self._entry, line, 0)
            else:
                self.finish_entry()
                self._begin_entry(line, number)
        except MistakeError as mistake:
            self.mistakes.append((number, str(mistake)))
            if self._entry is not None:
                self._entry.is_broken = True

    def finish_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None or entry.is_broken:
            return
        if not entry.targets:
            self.mistakes.append((entry.line, f"{_ENTRY_EXPECTED}, got no target"))
        elif len(entry.targets) > MOST_TARGETS:
            found = len(entry.targets)
            self.mistakes.append((entry.line, f"expected at most {MOST_TARGETS} targets, got {found}"))
        else:
            targets = tuple(target for target in entry.targets if isinstance(target, Mailbox))
            includes = tuple(target for target in entry.targets if isinstance(target, PurePosixPath))
            self.aliases.append(Alias(entry.local, entry.domain, targets, entry.line, includes))

    def _begin_entry(self, line: str, number: int) -> None:
        self._entry = _Entry(
            "", "", number, is_broken=True
        )  # what continues a broken entry is read all the same
        match = _NAME.match(line)
        if match is None:
            raise MistakeError(f"{_ENTRY_EXPECTED}, got {show_value(line)}")
        local, domain = _parse_name(match[1])
        key = local_key(local), domain
        if key in self._lines:
            first = self._lines[key]
            raise MistakeError(
                f"expected one entry for each name; {show_value(match[1])} has one on line {first}"
            )
        self._lines[key] = number
        self._entry = _Entry(local, domain, number)
        self._read_targets(self._entry, line, match.end())

    def _read_targets(self, entry: _Entry, line: str, start: int) -> None:
        for target in read_targets(line, start):
            entry.targets[target] = None


def _parse_name(text: str) -> tuple[str, str]:
    """Return local part and domain of an entry's name."""
    if text.startswith("@"):
        domain = text[1:]
        if not is_address_literal(domain) and to_a_labels(domain.removesuffix(".")) is None:
            raise MistakeError(f"expected a domain behind the @, got {show_value(text)}")
        return "", domain_key(domain)
    mailbox = parse_address(text)
    return mailbox.local, domain_key(mailbox.domain)
