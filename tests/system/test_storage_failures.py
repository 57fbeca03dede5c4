"""Disks that fill up or fail while mail comes in: what cannot be kept is refused, and then it goes on."""

import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from paperpath.maildrop.queue_id import _DIGITS
from tests.support.installation import content_of, wait_until
from tests.support.peers import skip_or_fail
from tests.support.relay import LOOPS, Relay, running_relay
from tests.support.strace import traced
from tests.support.wire import Wire, stuffed

pytestmark = [pytest.mark.slow, pytest.mark.interop]
TAKEN = b"250 2.0.0 Taken as "
BODIES = {"small": b"x\r\n", "large": b"x" * 88 + b"\r\n" + b"y\r\n" * 30_000}
# Of what was made to fail; and of the log itself, where that could not be written.
_TROUBLE = r" smtprd error not stored | smtp(.d|rcd) error cannot |_Lines\._write"
_BESIDE_THE_MAIL = {"log", "journal"}  # mail goes on without
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    # The standard loop writes to connections by send, so that write is for files and the log alone.
    with running_relay(tmp_path_factory.mktemp("storage"), "asyncio", more_relay="least_free = 0") as relay:
        yield relay


class Sender:
    """Sends numbered messages over one session, and notes which were taken."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._wire = Wire(relay.port)
        assert self._wire.reply().startswith(b"220 ")
        assert self._wire.ask(b"EHLO c.example").startswith(b"250-")
        self.taken: set[int] = set()
        self.refused: set[int] = set()

    def begin(self) -> None:
        """Come to where the content is asked for."""
        for line in (b"MAIL FROM:<a@b.example>", b"RCPT TO:<u@here.example>"):
            assert self._wire.ask(line).startswith(b"250 ")
        assert self._wire.ask(b"DATA").startswith(b"354 ")

    def end(self, body: bytes) -> bytes:
        """Send the content; return the reply."""
        number = next(_numbers)
        self._wire.send(stuffed(b"X-Number: %d\r\n\r\n" % number + body))
        reply = self._wire.reply()
        (self.taken if reply.startswith(TAKEN) else self.refused).add(number)
        return reply

    def asks_for_room(self) -> bytes:
        """Begin a transaction and leave it; return the reply to its beginning."""
        reply = self._wire.ask(b"MAIL FROM:<a@b.example>")
        assert self._wire.ask(b"RSET").startswith(b"250 ")
        return reply

    def close(self) -> None:
        """See that what was taken, and nothing of what was refused, comes to the mailbox, once."""
        self._wire.close()
        self._relay.assert_well(expected=_TROUBLE)
        found = [
            re.match(rb"X-Number: (\d+)\r\n", content_of(f.read_bytes())) for f in self._relay.delivered()
        ]
        arrived = [int(match[1]) for match in found if match is not None]
        assert len(arrived) == len(set(arrived))
        assert self.taken <= set(arrived)
        assert not self.refused & set(arrived)


# Which message, which call, and for which kinds of files it must have failed for the test to mean something.
CASES = [
    ("small", "pwrite64", "queue.db-wal"),
    ("small", "fdatasync", "queue.db-wal"),
    ("small", "write", ""),
    ("large", "pwrite64", "queue.db-wal"),
    ("large", "fdatasync", "queue.db-wal"),
    ("large", "write", "file"),
    ("large", "openat", "file"),
    ("large", "fsync", "file folder"),
    ("first large of a folder", "mkdir", "folder"),
    ("first large of a folder", "fsync", "content"),
    ("first large of a folder", "openat", "content file"),
]


@pytest.mark.parametrize(("kind", "call", "must_fail"), CASES)
@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT", "EIO"])
def test_D4_A41_each_call_of_a_transaction_fails_in_its_turn(
    relay: Relay, tmp_path: Path, kind: str, call: str, must_fail: str, error: str
) -> None:
    body = BODIES["small" if kind == "small" else "large"]
    failed_once: set[str] = set()
    sender = Sender(relay)
    for number in itertools.count(1):
        prepare_folders(relay, exist=kind == "large")
        sender.begin()
        with failing(relay, tmp_path, call, f"{error}:when={number}") as failures:
            reply = sender.end(body)
        failed_once |= failures
        if failures - _BESIDE_THE_MAIL:
            refusal = b"451 4.3.0 " if error == "EIO" else b"452 4.3.1 "
            assert reply.startswith(refusal), (failures, reply)
        else:
            assert reply.startswith(TAKEN), (failures, reply)
        sender.begin()
        assert sender.end(body).startswith(TAKEN)
        if not failures:
            break
    assert set(must_fail.split()) <= failed_once
    sender.close()


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
@pytest.mark.parametrize("calls", ["pwrite64", "fsync,fdatasync", "openat,mkdir"])
def test_D4_while_all_calls_fail_all_is_refused_and_then_taken_again(
    relay: Relay, tmp_path: Path, calls: str, error: str
) -> None:
    sender = Sender(relay)
    prepare_folders(relay, exist=False)
    with failing(relay, tmp_path, calls, error) as failures:
        for _ in range(3):
            sender.begin()
            assert re.match(rb"45[12] 4\.3\.[01] ", sender.end(BODIES["large"]))
            if "openat" not in calls:
                sender.begin()
                assert re.match(rb"45[12] 4\.3\.[01] ", sender.end(BODIES["small"]))
    assert failures
    for body in BODIES.values():
        sender.begin()
        assert sender.end(body).startswith(TAKEN)
    sender.close()


@contextmanager
def failing(relay: Relay, folder: Path, calls: str, how: str) -> Iterator[set[str]]:
    """Make calls of smtprd fail for the length of the block; then tell for which kinds of files they did."""
    trace = folder / "trace"
    failures: set[str] = set()
    with traced(relay.smtprd, trace, "-e", f"trace={calls}", "-e", f"inject={calls}:error={how}"):
        yield failures
    for line in trace.read_text().splitlines():
        if "(INJECTED)" in line:
            failures.add(name_kind(line))


def name_kind(line: str) -> str:
    """Tell for which kind of file a traced call was."""
    for name, pattern in {
        "file": r"/maildrop/content/\w\w/\w+[>\"]",
        "queue.db-wal": r"/queue\.db-wal>",
        "content": r"/maildrop/content[>\"]",
        "folder": r"/maildrop/content/\w\w[>\"]",
        "log": r"\d<[^>]*/log>",
        "journal": r"/data/journal[/>]",
    }.items():
        if re.search(pattern, line):
            return name
    return line


def prepare_folders(relay: Relay, *, exist: bool) -> None:
    """See that all folders of large content are there, or none; which one is next depends on the time."""
    content = relay.folder / "data" / "maildrop" / "content"
    wait_until(lambda: not relay.content_files(), "the files of delivered messages to go")
    for digits in itertools.product(_DIGITS, repeat=2):
        folder = content / "".join(digits)
        if exist:
            folder.mkdir(mode=0o700, exist_ok=True)
        elif folder.exists():
            folder.rmdir()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data folder of 6 MiB."""
    data = tmp_path / "installation" / "data"
    data.mkdir(parents=True)
    if os.geteuid() != 0:
        skip_or_fail("only root may mount a file system")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "paperpath-test", str(data)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        skip_or_fail(f"no file system can be mounted: {done.stderr.strip()}")
    try:
        yield data
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


@pytest.mark.parametrize("floor", ["0", '"1 MiB"'])
@pytest.mark.parametrize("loop", LOOPS)
def test_D4_D5_S3_a_full_disk_refuses_and_recovers_by_itself(small_disk: Path, loop: str, floor: str) -> None:
    with running_relay(small_disk.parent, loop, more_relay=f"least_free = {floor}") as relay:
        sender = Sender(relay)
        filler = small_disk / "filler"
        fill(filler)
        if floor == "0":
            for body in (*BODIES.values(), *BODIES.values()):
                sender.begin()
                assert sender.end(body).startswith(b"452 4.3.1 ")
        else:
            wait_until(lambda: sender.asks_for_room().startswith(b"452 4.3.1 "), "the floor to be noticed")
        filler.unlink()
        wait_until(lambda: sender.asks_for_room().startswith(b"250 "), "the room to be noticed")
        for body in BODIES.values():
            sender.begin()
            assert sender.end(body).startswith(TAKEN)
        sender.close()


def test_D5_without_free_inodes_mail_is_refused_until_there_are_some(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,nr_inodes=3000", str(small_disk)], check=True)
    with running_relay(small_disk.parent, more_relay="least_free = 0") as relay:
        sender = Sender(relay)
        assert sender.asks_for_room().startswith(b"250 ")
        crowd = small_disk / "crowd"
        crowd.mkdir()
        for number in range(2500):
            (crowd / str(number)).touch()
        wait_until(
            lambda: sender.asks_for_room().startswith(b"452 4.3.1 "), "the want of inodes to be noticed"
        )
        for file in crowd.iterdir():
            file.unlink()
        wait_until(lambda: sender.asks_for_room().startswith(b"250 "), "the room to be noticed")
        sender.close()


def test_P9_a_full_disk_costs_history_and_no_mail(small_disk: Path) -> None:
    with running_relay(small_disk.parent, more_relay="least_free = 0") as relay:
        filler = small_disk / "filler"
        fill(filler)
        with Wire(relay.port) as wire:
            assert wire.reply().startswith(b"220 ")
            for _ in range(8):  # more than the last page of the journal has room for
                assert wire.ask(b"MAIL FROM:<a@b.example> X=" + b"x" * 900).startswith(b"503 ")
        wait_until(lambda: "cannot write the journal" in relay.output(), "the journal's failure to be told")
        filler.unlink()
        sender = Sender(relay)
        sender.begin()
        queue_id = sender.end(BODIES["small"]).split()[-1].decode()
        sender.close()
        lost = re.findall(
            r" smtprd warning the journal can be written again events_lost=(\d+)\n", relay.output()
        )
        assert len(lost) == relay.output().count("smtprd error cannot write the journal")
        assert sum(map(int, lost)) > 0
        assert "accepted" in relay.run("why", "--config", str(relay.file), queue_id)


def fill(file: Path) -> None:
    """Write until there is no room for another octet."""
    with file.open("ab", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x" * 4096)
    with file.open("ab", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(b"x")
