"""What a client knows after it was told what happened is what there is (requirements K-6, K-15, K-23, K-24).

Two clients keep what a mail program would: one stays connected and hears EXPUNGE and FETCH, the other comes
back with QRESYNC. A third one, and deliveries, change the mailbox between.
"""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.imap_desk import Client, House, open_house

MESSAGE = b"Subject: a\r\n\r\nb\r\n"
_FETCHED = re.compile(rb"\* (\d+) FETCH \((?:.* )?UID (\d+) FLAGS \(([^)]*)\).*")
_TOLD = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE)")
_FLAGS = re.compile(rb"\* (\d+) FETCH \((?:UID (\d+) )?FLAGS \(([^)]*)\).*")
_VANISHED = re.compile(rb"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)")

uids = st.integers(1, 8)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("deliver")),
        st.tuples(st.just("append"), st.sampled_from(["\\Seen", "Todo", ""])),
        st.tuples(
            st.just("store"),
            uids,
            st.sampled_from(["+", "-", ""]),
            st.sampled_from(["\\Seen", "\\Deleted", "Todo"]),
        ),
        st.tuples(st.just("expunge")),
        st.tuples(st.just("remove"), uids),
        st.tuples(st.just("copy"), uids),
        st.tuples(st.just("move"), uids),
    ),
    max_size=8,
)


class Cache:
    """A client and what it knows: UIDs by message number, `None` where it has not asked yet, and flags."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.numbers: list[int | None] = []
        self.flags: dict[int, frozenset[bytes]] = {}

    def take(self, lines: list[bytes]) -> None:
        assert lines[-1].startswith((b"t OK", b"t NO [EXPUNGEISSUED]")), lines
        for line in lines:
            if (told := _TOLD.fullmatch(line)) is not None:
                number = int(told[1])
                if told[2] == b"EXISTS":
                    assert number >= len(self.numbers)
                    self.numbers += [None] * (number - len(self.numbers))
                else:
                    self.flags.pop(self.numbers.pop(number - 1) or 0, None)
            elif (gone := _VANISHED.fullmatch(line)) is not None:
                self._forget(gone[1])
            elif (changed := _FLAGS.fullmatch(line)) is not None:
                self._note(int(changed[1]), changed[2], changed[3])

    def ask_for_new(self) -> None:
        for number, uid in enumerate(list(self.numbers), 1):
            if uid is None:
                self.take(self.client.ask(f"FETCH {number} (UID FLAGS)"))

    def _note(self, number: int, uid: bytes | None, flags: bytes) -> None:
        assert number <= len(self.numbers)
        known = self.numbers[number - 1]
        if uid is not None:
            assert known in (None, int(uid))
            known = self.numbers[number - 1] = int(uid)
        if known is not None:
            self.flags[known] = frozenset(flags.split()) - {b"\\Recent"}

    def _forget(self, ranges: bytes) -> None:
        for piece in ranges.split(b","):
            first, _, last = piece.partition(b":")
            for uid in range(int(first), int(last or first) + 1):
                self.flags.pop(uid, None)
                if uid in self.numbers:
                    self.numbers.remove(uid)


@settings(max_examples=25)
@given(st.lists(changes, min_size=1, max_size=4))
def test_K6_K24_clients_know_what_there_is(rounds: list[list[tuple[object, ...]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_house(Path(folder)) as house:
        staying, coming, other = Cache(house.enter()), Cache(house.enter()), house.enter()
        coming.client.ask("ENABLE QRESYNC")
        staying.take(staying.client.ask("SELECT INBOX"))
        other.ask("SELECT INBOX")
        known = ""
        for each in rounds:
            for change in each:
                carry_out(house, other, change)
                staying.take(staying.client.ask("FETCH 1:* FLAGS") if staying.numbers else [b"t OK"])
            staying.take(staying.client.ask("NOOP"))
            known = come_back(coming, known)
            other.ask("NOOP")
            truth = ask_all(other)
            for cache in (staying, coming):
                cache.ask_for_new()
                assert cache.flags == truth
                assert cache.numbers == sorted(truth)
            coming.take(coming.client.ask("UNSELECT"))


def come_back(cache: Cache, known: str) -> str:
    """Select with what is known from the last time; return what is known now."""
    cache.numbers = sorted(cache.flags)  # type: ignore[assignment]
    lines = cache.client.ask(f"SELECT INBOX (QRESYNC ({known}))" if known else "SELECT INBOX")
    told = b"\r\n".join(lines)
    count = int(re.search(rb"\* (\d+) EXISTS", told)[1])  # type: ignore[index]
    validity = int(re.search(rb"UIDVALIDITY (\d+)", told)[1])  # type: ignore[index]
    modseq = int(re.search(rb"HIGHESTMODSEQ (\d+)", told)[1])  # type: ignore[index]
    # What vanished is told first, so that numbers are those of now behind it.
    vanished = [line for line in lines if line.startswith(b"* VANISHED")]
    cache.take([*vanished, b"t OK"])
    cache.numbers += [None] * (count - len(cache.numbers))
    cache.take([line for line in lines if line not in vanished])
    return f"{validity} {modseq}"


def carry_out(house: House, client: Client, change: tuple[object, ...]) -> None:
    match change:
        case ("deliver",):
            house.deliver(MESSAGE)
        case ("append", flags):
            client.put("INBOX", MESSAGE, f"({flags}) ")
        case ("store", uid, how, flag):
            client.ask(f"UID STORE {uid} {how}FLAGS ({flag})")
        case ("expunge",):
            client.ask("EXPUNGE")
        case ("remove", uid):
            client.ask(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
            client.ask(f"UID EXPUNGE {uid}")
        case ("copy", uid):
            client.ask(f"UID COPY {uid} INBOX")
        case ("move", uid):
            client.ask(f"UID MOVE {uid} INBOX")
        case _:
            pytest.fail(str(change))


def ask_all(client: Client) -> dict[int, frozenset[bytes]]:
    found = map(_FETCHED.fullmatch, client.ask("UID FETCH 1:* (FLAGS)"))
    return {int(one[2]): frozenset(one[3].split()) - {b"\\Recent"} for one in found if one is not None}
