"""Who may read and write what is the installation's: every file and folder, its owner and its mode.

Called by `paperpath selftest`. What belongs to the programs is theirs alone, but for what users of this host
must reach; what the administrator writes, nobody else may change (attacks L-1 to L-5). It changes nothing.
"""

import os
import pwd
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from paperpath.commands.selftest_findings import Finding, Verdict
from paperpath.commands.selftest_rules import Rules, Seen, judge
from paperpath.config.tables import Configuration

_MOST_TOLD = 100


def try_permissions(configuration: Configuration, file: Path) -> Iterator[Finding]:
    """Look at everything; tell what is wrong, and how much was looked at."""
    count, wrong = 0, 0
    for found in _look_at_all(configuration, file.resolve()):
        count += 1
        if found is not None:
            wrong += 1
            if wrong <= _MOST_TOLD:
                yield found
    told = f"; the first {_MOST_TOLD} are listed" if wrong > _MOST_TOLD else ""
    seen = f"{count} files and folders were looked at, {wrong} are not as they should be{told}"
    yield Finding(Verdict.DOUBTFUL if wrong else Verdict.GOOD, "owners and modes", seen)


def _look_at_all(configuration: Configuration, file: Path) -> Iterator[Finding | None]:
    try:
        owners = frozenset((_find_owner(configuration),))
    except (OSError, KeyError) as error:
        yield Finding(
            Verdict.FAULT, str(configuration.data), f"the user of the programs is not known: {error}"
        )
        return
    rules = Rules(configuration, file, owners)
    for path, rule in rules.written.items():
        yield _look(path.resolve(), partial(judge, path, rule=rule))
    below = (configuration.data, *rules.written)
    for folder in sorted({parent for path in below for parent in path.resolve().parents}):
        yield _look(folder, partial(rules.judge_parent, folder))
    for path in _walk(configuration.data, configuration.drop_folder):
        yield _look(path, partial(rules.judge_own, path))


def _find_owner(configuration: Configuration) -> int:
    """Return who the programs are. Raises: OSError, KeyError."""
    if configuration.user is not None:
        return pwd.getpwnam(configuration.user).pw_uid
    return configuration.data.stat().st_uid


def _walk(folder: Path, drop: Path) -> Iterator[Path]:
    """Give a folder and all that is in it; the drop directory's files are their owners'."""
    yield folder
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        yield from (here / name for name in (*folders, *files))
        if here == drop.parent:
            folders[:] = [name for name in folders if name != drop.name]


def _look(path: Path, judge_it: Callable[[Seen], Finding | None]) -> Finding | None:
    """Judge what is there; nothing, if the programs remove it meanwhile; a folder may be shut to us."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Finding(Verdict.UNTOLD, str(path), f"cannot be looked at: {error.strerror}")
    return judge_it(Seen(found.st_mode, found.st_uid))
