"""What owner and mode each file and folder of an installation should have, and what it means if not: pure.

Called by the permissions of `paperpath selftest`, which looks at them.
"""

import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from paperpath.commands.selftest_findings import Finding, Verdict
from paperpath.config.places import ENQUIRIES_NAME, SUBMISSION_NAME
from paperpath.config.tables import Configuration
from paperpath.service.privileges import name_user

_FOR_ALL, _FOR_GROUP = 0o3733, 0o3730  # of the drop directory
_OTHERS_WRITE = 0o002
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A file or folder: its mode with its type, and whose it is."""

    mode: int
    uid: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The bits a mode may have, those of the others that are a fault, and those it must have.

    `owners` may have it; empty: anybody may.
    """

    allowed: int
    grave: int
    required: int = 0
    owners: frozenset[int] = frozenset()


def judge(path: Path, seen: Seen, rule: Rule) -> Finding | None:
    """Say what is wrong with a file or folder, if anything is."""
    mode = stat.S_IMODE(seen.mode)
    told = f"mode {mode:04o} of {name_user(seen.uid)}"
    if stat.S_ISLNK(seen.mode):
        return Finding(Verdict.FAULT, str(path), "a link, which no program follows")
    if rule.owners and seen.uid not in rule.owners:
        whose = " or ".join(sorted(map(name_user, rule.owners)))
        return Finding(Verdict.FAULT, str(path), f"{told}; expected to be of {whose}")
    surplus, missing = mode & ~rule.allowed, rule.required & ~mode
    if surplus & rule.grave:
        return Finding(Verdict.FAULT, str(path), f"{told}; run: chmod {mode & rule.allowed:04o}")
    if missing:
        return Finding(
            Verdict.FAULT, str(path), f"{told}, so it cannot be used; expected {rule.required:04o}"
        )
    if surplus:
        return Finding(Verdict.DOUBTFUL, str(path), f"{told}; {mode & rule.allowed:04o} would do")
    return None


class Rules:
    """The rules of one installation."""

    def __init__(self, configuration: Configuration, file: Path, owners: frozenset[int]) -> None:
        """Take the configuration and its file, and who the programs are."""
        self._configuration = configuration
        self._own = Rule(0o700, 0o066, owners=owners)
        self._special = dict(_list_special(configuration, self._own))
        trusted = owners | {_ROOT}
        public = Rule(0o755, _OTHERS_WRITE, owners=trusted)
        secret = Rule(0o640, 0o027, owners=trusted)
        self.written = dict.fromkeys(_list_public(configuration, file), public)
        self.written |= dict.fromkeys(_list_secret(configuration), secret)
        """What people write: the rule of each file."""

    def judge_own(self, path: Path, seen: Seen) -> Finding | None:
        """Say what is wrong with what lies in the data folder, or with that itself."""
        own = self._own if stat.S_ISDIR(seen.mode) else replace(self._own, allowed=0o600)
        return judge(path, seen, self._special.get(path, own))

    @staticmethod
    def judge_parent(path: Path, seen: Seen) -> Finding | None:
        """Say whether anybody may put something else in the place of what lies below a folder."""
        if seen.mode & _OTHERS_WRITE and not seen.mode & stat.S_ISVTX:
            mode = stat.S_IMODE(seen.mode)
            return Finding(
                Verdict.FAULT, str(path), f"mode {mode:04o}: everybody may replace what lies there"
            )
        return None


def _list_special(configuration: Configuration, own: Rule) -> Iterator[tuple[Path, Rule]]:
    """Give what users of this host reach."""
    drop = _FOR_ALL if configuration.drop.group is None else _FOR_GROUP
    yield configuration.drop_folder, replace(own, allowed=drop, grave=0o7777, required=drop)
    for folder in (configuration.data, configuration.run_folder):
        yield folder, replace(own, allowed=0o711)
    for name in (SUBMISSION_NAME, ENQUIRIES_NAME):
        yield configuration.run_folder / name, replace(own, allowed=0o666, required=0o666)


def _list_public(configuration: Configuration, file: Path) -> Iterator[Path]:
    """Give what the administrator writes and others may read."""
    submission, dnslistd = configuration.submission, configuration.dnslistd
    files = [
        file,
        configuration.post_office.aliases,
        configuration.canonical.users,
        configuration.relay.access_file,
        *(() if submission is None else (submission.access_file, submission.client_ca)),
        *(entry.chain for entry in configuration.tls.certificate),
        *(route.ca_file for route in configuration.post_office.route),
        *(() if dnslistd is None else (zone.file for zone in dnslistd.zone)),
    ]
    return (one for one in files if one is not None)


def _list_secret(configuration: Configuration) -> Iterator[Path]:
    for entry in configuration.tls.certificate:
        yield entry.key
    for route in configuration.post_office.route:
        if route.password_file is not None:
            yield route.password_file
