"""Crash points of the mail store: what imapd does to folders, while smtpld delivers, dies at every call.

`python -m tests.crash.folder_points --help`. A script of deeds is carried out on a mailbox by a
process of its own, with its calls interposed as those of the programs are (calls.py); each deed is a
transition, and is acknowledged when it returns, as imapd would. Then the mailbox is opened anew. Each message
is as it was after the last deed that was acknowledged, or as it is after the next one; of a deed that is all
or none, all are.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NoReturn

from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.store.errors import StoreError
from paperpath.folders.store.open_folder import MaildirFolder
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import DELETED, FLAGGED, SEEN, FlagChange
from paperpath.testing.mail_store_suite import put, read
from tests.crash.calls import Files, QueueFiles
from tests.crash.points import Faults, How, Plan, Point, parse_point
from tests.crash.transitions import Transitions

WAYS = (How.BEFORE, How.POWER, How.REORDERED, How.EIO, How.ENOSPC)
_BOX = PurePosixPath("here.example/joe")
_LARGE = b"x" * 200_000 + b"\r\n"
Message = tuple[bytes, frozenset[str]]
State = dict[tuple[str, int], Message]  # by folder and UID


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done to a mailbox. `whole`: all of it, or nothing."""

    name: str
    do: Callable[[MaildirStore], object]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Played:
    """A script played without a fault: its points, and the mailbox before each deed and at the end."""

    points: tuple[Point, ...]
    states: tuple[State, ...]


def _in_folder(name: str, do: Callable[[MaildirFolder], object]) -> Callable[[MaildirStore], object]:
    def work(store: MaildirStore) -> None:
        with closing(store.open(name)) as folder:
            folder.look()
            do(folder)

    return work


def _append(store: MaildirStore) -> None:
    coming = store.append("INBOX")
    try:
        for number, content in enumerate((b"small\r\n", b"bare\n", _LARGE)):
            coming.begin([SEEN, "New"], 1_000_000 * number, len(content))
            coming.write(content)
        coming.finish()
    finally:
        coming.abandon()


def _deliver(name: str, store: MaildirStore) -> None:
    with Maildir(store._home.root, Place(_BOX)) as maildir:
        maildir.write(f"1.M1R{name}.host", [name.encode() + b"\n"])
        maildir.flush()


def _store(uids: Sequence[int], change: FlagChange, *flags: str) -> Callable[[MaildirStore], object]:
    return _in_folder("INBOX", lambda folder: folder.store_flags(uids, change, flags))


SCRIPT = (
    Deed("append", _append),
    Deed("deliver", partial(_deliver, "one")),
    Deed("look", _in_folder("INBOX", lambda folder: folder.measures([1, 2, 3, 4, 5, 6, 7, 8]))),
    Deed("store", _store([1, 2, 5], FlagChange.ADD, FLAGGED, "Todo"), whole=False),
    Deed("store keyword", _store([2, 3], FlagChange.ADD, "Another"), whole=False),
    Deed("store seen", _store([1, 4], FlagChange.SET, SEEN), whole=False),
    Deed("copy", _in_folder("INBOX", lambda folder: folder.copy([1, 2, 3, 8], "Other"))),
    Deed("copy beside", _in_folder("INBOX", lambda folder: folder.copy([1, 2], "INBOX"))),
    Deed("deliver", partial(_deliver, "two")),
    Deed("move", _in_folder("INBOX", lambda folder: folder.move([2, 5, 8], "Other")), whole=False),
    Deed("move beside", _in_folder("INBOX", lambda folder: folder.move([3], "INBOX")), whole=False),
    Deed("mark", _store([1, 4, 6], FlagChange.ADD, DELETED), whole=False),
    Deed("expunge", _in_folder("INBOX", lambda folder: folder.expunge()), whole=False),
    Deed("create", lambda store: store.create("New/Name")),
    Deed("rename", lambda store: store.rename("Other", "New/Other"), whole=False),
    Deed("rename INBOX", lambda store: store.rename("INBOX", "Old"), whole=False),
    Deed("delete", lambda store: store.delete("New/Other")),
)


def prepare(root: Path) -> None:
    """Make a mailbox with four messages, and a folder."""
    create_maildir(root / "mailboxes", _BOX)
    store = open_store(root)
    store.create("Other")
    for number in range(4):
        put(store, "INBOX", 1, content=b"Subject: %d\r\n\r\n" % number)


def open_store(root: Path) -> MaildirStore:
    return MaildirStore(root / "mailboxes", _BOX)


def read_state(store: MaildirStore) -> State:
    """Return all messages with their flags, as a new session sees them."""
    state: State = {}
    for entry in store.folders():
        if entry.exists:
            with closing(store.open(entry.name)) as folder:
                for one in folder.states(folder.look().snapshot.uids):
                    content = read(folder, one.uid)
                    state[entry.name, one.uid] = content[:100], one.flags
    return state


def read_validity(root: Path) -> int:
    """Return the UIDVALIDITY of INBOX, which no deed changes."""
    with closing(open_store(root).open("INBOX")) as folder:
        return folder.uid_validity


def play(folder: Path) -> Played:
    """Carry the script out; the states are seen between the deeds."""
    root = folder / "data"
    prepare(root)
    model = folder / "model"
    shutil.copytree(root, model)
    states = [read_state(open_store(root))]
    for deed in SCRIPT:
        deed.do(open_store(root))
        states.append(read_state(open_store(root)))
    passed = folder / "passed"
    code = _run(model, Plan(), folder / "told", passed)
    assert code == os.EX_OK, f"the script ended with {code}"
    return Played(tuple(map(parse_point, passed.read_text().splitlines())), tuple(states))


def try_point(folder: Path, point: Point, how: How, played: Played, model: Path) -> list[str]:
    """Have the script meet a point in a copy of the mailbox; return what is wrong then."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    root, told = folder / "data", folder / "told"
    shutil.copytree(model, root)
    validity = read_validity(root)
    code = _run(root, Plan(point, how), told, folder / "passed")
    done = len(told.read_text().splitlines()) if told.exists() else 0
    if code != (-signal.SIGKILL if how.kills else os.EX_OK):
        return [f"P8: it ended with {code}"]
    wrong = list(judge(read_state(open_store(root)), done, played))
    wrong += ["K-4: all UIDs are new"] if read_validity(root) != validity else []
    return [*wrong, *_find_unlogged(root)]


def _find_unlogged(root: Path) -> Iterator[str]:
    """Tell which indexes have no write-ahead log (SQLite's file format, §1.3.3): their readers would wait."""
    for index in root.rglob("paperpath-index"):
        if index.read_bytes()[18:20] != b"\2\2":
            yield f"{index.parent.name} has an index without a write-ahead log"


def judge(found: State, done: int, played: Played) -> Iterator[str]:
    """Hold a mailbox to what it was after the last deed that was acknowledged, and is after the next."""
    before = played.states[done]
    after, deed = (played.states[done + 1], SCRIPT[done]) if done < len(SCRIPT) else (before, None)
    for key in {*found, *before, *after}:
        choices = [state.get(key) for state in (before, after)]
        if found.get(key) not in choices:
            yield f"K-29: {key} is {found.get(key)}, not one of {choices}"
    counts = [Counter(content for content, _ in state.values()) for state in (found, before, after)]
    if deed is not None and deed.whole and counts[0] not in counts[1:]:
        yield f"K-10: {deed.name} was done in part: {counts[0]}"
    for content in counts[1] | counts[2]:
        if counts[0][content] not in (counts[1][content], counts[2][content]):
            yield f"K-19: {content[:20]!r} is there {counts[0][content]} times"


def _run(root: Path, plan: Plan, told: Path, passed: Path) -> int:
    """Carry the script out in a process of its own; return how it ended."""
    child = os.fork()
    if child == 0:
        _live(root, plan, told, passed)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _live(root: Path, plan: Plan, told: Path, passed: Path) -> NoReturn:
    code = os.EX_SOFTWARE
    try:
        transitions = Transitions()
        faults = Faults(plan, lambda: None, transitions.name)
        files = Files(root, faults)
        index_files = QueueFiles(files, faults, transitions)
        files.install()
        for deed in SCRIPT:
            try:
                with transitions.inside(deed.name):
                    deed.do(open_store(root))
            except (OSError, StoreError):
                break
            with told.open("a") as file:
                file.write(f"{deed.name}\n")
        passed.write_text("".join(f"{point}\n" for point in faults.passed))
        del index_files
        code = os.EX_OK
    except BaseException:  # noqa: BLE001 - printed, and the end
        traceback.print_exc()
    os._exit(code)


def try_all(every: int, only: str) -> tuple[int, list[str]]:
    """Try each so-many-th of all cases whose name contains a text; return how many, and what is wrong."""
    with tempfile.TemporaryDirectory(prefix="paperpath-folders-") as name:
        folder = Path(name)
        played = play(folder)
        model = folder / "again"
        prepare(model)
        cases = [(point, how) for point in played.points for how in WAYS]
        cases = [(point, how) for point, how in cases if only in f"{point} / {how.value}"][::every]
        wrong = [
            f"{point} / {how.value}: {what}"
            for point, how in cases
            for what in try_point(folder / "case", point, how, played, model)
        ]
    return len(cases), wrong


def main() -> int:
    """Do as the command line says; return the exit code."""
    parser = argparse.ArgumentParser("python -m tests.crash.folder_points", description=__doc__)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one case in so many; %(default)s")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains it")
    options = parser.parse_args()
    count, wrong = try_all(options.every, options.only)
    print("\n".join([*wrong, f"{count} cases, {len(wrong)} broken"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
