"""Random work of two sessions and of other programs: all come to see one truth (K-4, K-6, K-29)."""

import shutil
import tempfile
from pathlib import Path, PurePosixPath
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from paperpath.folders.maildir import Maildir, Place, create_maildir
from paperpath.folders.store import looking
from paperpath.folders.store.open_folder import MaildirFolder
from paperpath.folders.store.tree import MaildirStore
from paperpath.folders.store.values import FlagChange, Snapshot
from paperpath.testing.mail_store_suite import put, read

pytestmark = pytest.mark.slow

BOX = PurePosixPath("joe")
FLAGS = st.lists(st.sampled_from(["\\Seen", "\\Deleted", "\\Flagged", "$Forwarded", "Todo"]), unique=True)
UIDS = st.lists(st.integers(1, 8), unique=True)
WHO = st.integers(0, 1)


class Session:
    """What a client would know: it is told changes only, and holds them to what it was told before."""

    def __init__(self, store: MaildirStore) -> None:
        self.folder: MaildirFolder = store.open("INBOX")
        self.shown: Snapshot = self.folder.look().snapshot
        self.flags = {state.uid: state.flags for state in self.folder.states(self.shown.uids)}

    def look(self, *, keep: bool) -> None:
        before = list(self.shown.uids)
        changes = self.folder.look(self.shown, keep_departed=keep)
        after = [uid for uid in before if uid not in changes.departed] + list(changes.arrived)
        assert list(changes.snapshot.uids) == after == sorted(after)
        assert set(changes.departed) <= set(before)
        assert not (keep and changes.departed)
        self.shown = changes.snapshot
        self.flags = {uid: flags for uid, flags in self.flags.items() if uid not in changes.departed}
        self.flags |= {state.uid: state.flags for state in changes.changed}
        self.flags |= {state.uid: state.flags for state in self.folder.states(changes.arrived)}


class RandomWork(RuleBasedStateMachine):
    @initialize(most_news=st.sampled_from([1, 3, looking.MOST_NEWS]))
    def begin(self, most_news: int) -> None:
        self.kept_lists = mock.patch.object(looking, "MOST_NEWS", most_news)  # so they are with few messages
        self.kept_lists.start()
        self.root = Path(tempfile.mkdtemp())
        create_maildir(self.root, BOX)
        self.now_ns = self.root.stat().st_mtime_ns
        self.store = MaildirStore(self.root, BOX, clock_ns=lambda: self.now_ns)
        self.sessions = [Session(self.store), Session(self.store)]
        self.delivered = 0
        self.contents: dict[int, bytes] = {}

    def teardown(self) -> None:
        if hasattr(self, "kept_lists"):
            self.kept_lists.stop()
        for session in getattr(self, "sessions", []):
            session.folder.close()
        shutil.rmtree(self.root, ignore_errors=True)

    @rule(flags=FLAGS)
    def append(self, flags: list[str]) -> None:
        self.delivered += 1
        put(self.store, "INBOX", 1, flags=flags, content=b"%d" % self.delivered)

    @rule()
    def deliver(self) -> None:
        self.delivered += 1
        with Maildir(self.root, Place(BOX)) as maildir:
            maildir.write(f"{self.delivered}.host", [b"%d" % self.delivered])
            maildir.flush()

    @rule(who=WHO, uids=UIDS, flags=FLAGS, change=st.sampled_from(FlagChange))
    def change_flags(self, who: int, uids: list[int], flags: list[str], change: FlagChange) -> None:
        self.sessions[who].folder.store_flags(uids, change, flags)

    @rule(who=WHO)
    def expunge(self, who: int) -> None:
        self.sessions[who].folder.expunge()

    @rule(who=WHO, uids=UIDS)
    def copy(self, who: int, uids: list[int]) -> None:
        self.sessions[who].folder.copy(uids, "INBOX")

    @rule(who=WHO, uids=UIDS)
    def move(self, who: int, uids: list[int]) -> None:
        self.sessions[who].folder.move(uids, "INBOX")

    @rule(place=st.integers(0, 5), letters=st.sampled_from(["", "S", "FS", "Ta"]))
    def rename_beside(self, place: int, letters: str) -> None:
        files = self.files()
        if place < len(files):
            base = files[place].name.partition(":")[0]
            files[place].rename(self.root / BOX / "cur" / f"{base}:2,{letters}")
            self.now_ns += 2_000_000_000

    @rule(place=st.integers(0, 5))
    def remove_beside(self, place: int) -> None:
        files = self.files()
        if place < len(files):
            files[place].unlink()
            self.now_ns += 2_000_000_000

    @rule(who=WHO, keep=st.booleans())
    def look(self, who: int, keep: bool) -> None:
        self.sessions[who].look(keep=keep)

    @rule(who=WHO)
    def rest(self, who: int) -> None:
        self.sessions[who].folder.rest()

    @invariant()
    def one_truth(self) -> None:
        if not hasattr(self, "sessions"):
            return
        newest = max(self.part(name).stat().st_mtime_ns for name in ("new", "cur"))
        self.now_ns = max(self.now_ns, newest) + 2_000_000_000
        fresh = Session(self.store)
        fresh_uids = list(fresh.shown.uids)
        assert len(fresh_uids) == len(self.files())
        for uid in fresh_uids:
            content = read(fresh.folder, uid)
            assert self.contents.setdefault(uid, content) == content
        self.counts_are_those_of_the_rows(fresh)
        fresh.folder.close()
        self.fresh = fresh.flags

    def counts_are_those_of_the_rows(self, fresh: Session) -> None:
        rows = {state.uid: state.flags for state in fresh.folder.states(range(1, fresh.shown.uid_next))}
        assert list(fresh.shown.uids) == list(rows)
        unseen = [uid for uid, flags in rows.items() if "\\Seen" not in flags]
        assert fresh.folder.first_unseen() == min(unseen, default=None)
        status = self.store.status("INBOX")
        deleted = sum("\\Deleted" in flags for flags in rows.values())
        assert (status.messages, status.unseen, status.deleted) == (len(rows), len(unseen), deleted)

    @rule(who=WHO)
    def know_all(self, who: int) -> None:
        self.one_truth()
        self.sessions[who].look(keep=False)
        assert self.sessions[who].flags == self.fresh

    def part(self, name: str) -> Path:
        return self.root / BOX / name

    def files(self) -> list[Path]:
        return sorted([*self.part("new").iterdir(), *self.part("cur").iterdir()])


TestRandomWork = RandomWork.TestCase
TestRandomWork.settings = settings(max_examples=25, stateful_step_count=20)
