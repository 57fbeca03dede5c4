"""What happens to mailboxes under a living imapd: floods of files, files that go, damage, a clock that jumps.

All of it is done by others while clients have the mailboxes open. They get an error line or BYE at most, the
process lives on with bounded memory, others are answered, and nothing is lost (K-4, K-29, P6).
"""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from paperpath.service.wakeup import Waker
from tests.imap_soak.wire import GoneError, Wire, parse
from tests.support.clock import Clock
from tests.support.imap import Imap
from tests.support.installation import Process, wait_until
from tests.support.process import peak_kib
from tests.support.submission import ACCOUNT, PASSWORD

pytestmark = pytest.mark.slow

FILES = int(os.environ.get("PAPERPATH_FILES", "5000"))  # that appear in each of two folders at once
ROOM_KIB = 96 * 1024  # what imapd may need at most for all that is done to it in one test
HOUR_S, YEAR_S = 3600, 365 * 86_400
INDEX = "paperpath-index"
# Else nothing is unwritable for root.
OBEDIENT = (
    ("setpriv", "--bounding-set=-dac_override") if os.geteuid() == 0 and shutil.which("setpriv") else ()
)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clock]:
    clock = Clock(tmp_path_factory.mktemp("clock") / "clock")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(clock.folder), prepend=os.pathsep)
        yield clock


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[tuple[Imap, Process]]:
    installation = Imap(tmp_path_factory.mktemp("disturbed"))
    with installation.start("imapd", launcher=OBEDIENT) as process:
        wait_until(lambda: "listening" in installation.output(), "imapd to listen")
        yield installation, process


@pytest.fixture
def imap(running: tuple[Imap, Process]) -> Iterator[Imap]:
    """Give imapd, and see that it is well at the end: the same process, which has not grown."""
    imap, process = running
    before = peak_kib(process.pid)
    yield imap
    assert process.poll() is None
    assert "defect" not in imap.output()
    grown_kib = peak_kib(process.pid) - before
    print(f"imapd grew by {grown_kib} KiB at its peak")
    assert grown_kib < ROOM_KIB


class Client(Wire):
    """A client that has joe's mailboxes open; `closing` it is enough."""

    def __init__(self, imap: Imap, *commands: str) -> None:
        super().__init__(imap.imaps_port, ACCOUNT, PASSWORD)
        for command in commands:
            self.ask(command)

    def ask(self, command: str) -> list[bytes]:
        """Have a command done; return all responses, the tagged one last. Raises: OSError; GoneError."""
        lines, answer = self.wait(self.say(command))
        return [*lines, answer.line]

    def say(self, command: str) -> bytes:
        tag = self.new_tag()
        self.send(tag + b" " + command.encode() + b"\r\n")
        return tag

    def put(self, mailbox: str, content: bytes, flags: str = "") -> None:
        tag = self.say(f"APPEND {mailbox} ({flags}) {{{len(content)}+}}\r\n{content.decode()}")
        assert self.wait(tag)[1].is_ok


def home_of(imap: Imap, mailbox: str) -> Path:
    return imap.mailboxes / "here.example" / "joe" / f".{mailbox}"


def deliver(folder: Path, number: int, octets: int = 0) -> Path:
    """Have another program deliver a message."""
    name = f"{1_700_000_000 + number}.M{number}P1.other.example"
    (folder / "tmp" / name).write_bytes(
        b"X-Number: %d\n\n" % number + b"%06d" % number * (octets // 6) + b"\n"
    )
    return (folder / "tmp" / name).rename(folder / "new" / name)


def flood(folder: Path, count: int) -> None:
    """Have so many files appear."""
    first = deliver(folder, 0)
    for number in range(1, count):
        os.link(first, folder / "new" / f"{1_700_000_000 + number}.M{number}P1.other.example")


def wake(imap: Imap) -> None:
    """Have imapd look now, and not in two seconds."""
    with closing(Waker(imap.folder / "data" / "run" / "wake")) as waker:
        waker.wake("imapd")


def ask_beside(client: Client, command: str, other: Client) -> tuple[list[bytes], str]:
    """Have a command done while another session asks for nothing much; return how long that one waited."""
    tag, began_s, waits_s = client.say(command), time.monotonic(), [0.0]
    while (line := client.read_within(0.001)) is None:
        asked_s = time.monotonic()
        assert b" OK " in other.ask("NOOP")[-1]
        waits_s.append(time.monotonic() - asked_s)
    lines = [line]
    while not lines[-1].startswith(tag):
        lines.append(client.read())
    took_s = time.monotonic() - began_s
    return lines, f"{command}: {took_s:.2f} s; {len(waits_s)} NOOPs beside, the longest {max(waits_s):.3f} s"


def test_P6_K29_files_that_appear_at_once_are_messages_and_others_are_answered(imap: Imap) -> None:
    with (
        closing(Client(imap, "CREATE Many", "CREATE More", "SELECT Many")) as client,
        closing(Client(imap, "SELECT INBOX")) as other,
    ):
        for mailbox in ("Many", "More"):
            flood(home_of(imap, mailbox), FILES)
        told, took = ask_beside(client, "NOOP", other)
        print(took)
        assert b"* %d EXISTS\r\n" % FILES in told
        (status, _), took = ask_beside(client, "STATUS More (MESSAGES UIDNEXT)", other)
        print(took)
        assert b"(MESSAGES %d UIDNEXT %d)" % (FILES, FILES + 1) in status
        told, took = ask_beside(client, "FETCH 1:* (UID FLAGS)", other)
        print(took)
        numbers = [
            int(number) for line in told[:-1] for number in re.findall(rb"\* (\d+) FETCH \(UID \1 ", line)
        ]
        assert numbers == list(range(1, FILES + 1))
        shutil.rmtree(home_of(imap, "Many") / "new")
        (home_of(imap, "Many") / "new").mkdir(mode=0o700)
        told, took = ask_beside(client, "NOOP", other)
        print(took)
        assert [line for line in told if b"EXPUNGE" in line] == [b"* 1 EXPUNGE\r\n"] * FILES


def test_K14_K29_files_that_go_while_they_are_fetched_are_left_out_and_said_to_be_gone(imap: Imap) -> None:
    count, octets = 100, 300_000  # more than lies in buffers on the way
    with closing(Client(imap, "CREATE Going")) as client:
        files = [deliver(home_of(imap, "Going"), number, octets) for number in range(1, count + 1)]
        client.ask("SELECT Going")
        tag = client.say("FETCH 1:* (UID BODY.PEEK[])")
        told = [client.read(), client.read()]
        for number, file in enumerate(files, 1):
            if number % 2 == 0:
                file.unlink()
            elif number % 3 == 0:
                file.rename(file.parent.with_name("cur") / f"{file.name}:2,S")
        deliver(home_of(imap, "Going"), count + 1)
        lines, answer = client.wait(tag)
        told += [line for line in lines if b" FETCH (UID " in line]
        uids = [check_message(line) for line in told]
        assert uids == sorted(set(uids))
        assert set(range(1, count + 1, 2)) <= set(uids)
        assert count not in uids
        assert (answer.condition, answer.code) == (b"NO", (b"EXPUNGEISSUED",))
        assert sum(b"EXPUNGE\r\n" in line for line in client.ask("NOOP")) == count // 2
        left = client.ask("FETCH 1:* (UID BODY.PEEK[])")
        assert [check_message(line) for line in left[:-1]] == [*range(1, count + 1, 2), count + 1]


def check_message(line: bytes) -> int:
    """See that the octets of a response are those of the message that has its UID, and whole; return that."""
    (_, _, _, (_, uid, _, content)) = parse(line)
    number, octets = int(uid), len(content) - 2
    head = b"X-Number: %d\r\n\r\n" % number
    assert content == head + b"%06d" % number * ((octets - len(head)) // 6) + b"\r\n"
    assert line.endswith(content + b")\r\n")
    return number


def test_K14_a_session_ends_where_a_file_is_cut_short_while_it_is_fetched(imap: Imap) -> None:
    with closing(Client(imap, "CREATE Cut")) as client, closing(Client(imap, "SELECT Cut")) as other:
        files = [deliver(home_of(imap, "Cut"), number, 20_000_000) for number in (1, 2)]
        client.ask("SELECT Cut")
        tag = client.say("FETCH 1:* (UID BODY.PEEK[])")
        assert client.read_line().startswith(b"* 1 FETCH (UID 1 BODY[] {")
        os.truncate(files[0], 19_000_000)
        with pytest.raises((GoneError, OSError)):
            client.wait(tag)
        wait_until(lambda: "broken off" in imap.output(), "the operator to be told")
        assert b"* 2 EXISTS\r\n" in other.ask("NOOP")


def truncate(index: Path) -> None:
    os.truncate(index, 6000)


def overwrite(index: Path) -> None:
    with index.open("r+b") as file:
        file.write(bytes(range(256)) * (index.stat().st_size // 256))


def protect(index: Path) -> None:
    for file in index.parent.glob(f"{INDEX}*"):
        file.chmod(0o400)


@pytest.mark.parametrize("damage", [truncate, overwrite, Path.unlink, protect], ids=lambda how: how.__name__)
def test_K4_K29_an_index_that_is_damaged_under_sessions_is_made_anew_from_the_files(
    imap: Imap, damage: Callable[[Path], None]
) -> None:
    mailbox = f"Index{damage.__name__}"
    folder = home_of(imap, mailbox)
    with closing(Client(imap, f"CREATE {mailbox}")) as client, closing(Client(imap)) as idle:
        for number in (1, 2, 3):
            client.put(mailbox, b"X-Number: %d\r\n\r\n" % number, r"\Flagged Todo")
        before = find_validity(client.ask(f"SELECT {mailbox}"))
        idle.ask(f"SELECT {mailbox}")
        idling = idle.say("IDLE")
        assert idle.read().startswith(b"+ ")
        damage(folder / INDEX)
        deliver(folder, 4)
        heard = ask_all(client, r"UID STORE 2 +FLAGS (\Answered)", "NOOP", "UID FETCH 1:* (FLAGS)")
        with closing(Client(imap)) as late:
            answer = late.ask(f"SELECT {mailbox}")[-1]
            print("SELECT meanwhile:", answer)
            assert answer.split()[1] == b"OK" or b" NO [UNAVAILABLE] " in answer
        wake(imap)
        idles_on = is_answered(idle, idling, b"DONE\r\n")
        for file in folder.glob(f"{INDEX}*"):
            file.chmod(0o600)
    with closing(Client(imap)) as client:
        after = find_validity(client.ask(f"SELECT {mailbox}"))
        told = client.ask("UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (X-NUMBER)])")[:-1]
    assert after >= before
    found = {}
    for line in told:
        (_, _, _, (_, uid, _, flags, _, octets)) = parse(line)
        found[int(octets.split()[1])] = int(uid), set(flags) - {b"\\Recent"}
    expected = {b"\\Flagged", b"Todo"}
    assert {number: flags - {b"\\Answered"} for number, (_, flags) in found.items()} == {
        **dict.fromkeys((1, 2, 3), expected),
        4: set(),
    }
    if heard[:1] == [True]:
        assert b"\\Answered" in found[2][1]
    if after == before:
        assert [found[number][0] for number in (1, 2, 3, 4)] == [1, 2, 3, 4]
    else:  # nobody goes on with UIDs that are no more
        assert len(heard) < 3
        assert not idles_on
    print(f"{damage.__name__}: {heard}, {idles_on}, UIDVALIDITY {'as before' if after == before else 'new'}")


def ask_all(client: Client, *commands: str) -> list[bool]:
    """Ask for things, each answered by a line, or BYE at some; tell which were done."""
    done: list[bool] = []
    with suppress(GoneError, ConnectionError):
        for command in commands:
            done.append(b" OK " in client.ask(command)[-1])  # noqa: PERF401 - as far as it came
    return done


def is_answered(client: Client, tag: bytes, octets: bytes) -> bool:
    """Send something, and tell whether the command was completed then; else the session ended."""
    with suppress(GoneError, ConnectionError):
        client.send(octets)
        return client.wait(tag)[1].is_ok
    return False


def find_validity(told: list[bytes]) -> int:
    found = re.search(rb"\[UIDVALIDITY (\d+)\]", b"".join(told))
    assert found is not None
    return int(found[1])


def test_K4_K17_L7_a_clock_that_goes_back_or_far_ahead_hides_nothing_and_ends_nobody(
    imap: Imap, clock: Clock
) -> None:
    with closing(Client(imap, "CREATE Early", "CREATE Watched")) as client, closing(Client(imap)) as idle:
        validities = [find_validity(client.ask("SELECT Early"))]
        idle.ask("SELECT Watched")
        idling = idle.say("IDLE")
        assert idle.read().startswith(b"+ ")
        for count, offset_s in enumerate((0, -HOUR_S, YEAR_S, 0), 1):
            clock.set(offset_s)
            deliver(home_of(imap, "Watched"), count)
            wake(imap)
            assert idle.read() == b"* %d EXISTS\r\n" % count
            assert idle.read() == b"* %d RECENT\r\n" % count
            client.ask(f"CREATE Late{count}")
            client.put(f"Late{count}", b"X-Number: 1\r\n\r\n")
            validities.append(find_validity(client.ask(f"SELECT Late{count}")))
            assert b" OK " in client.ask(r"STORE 1 +FLAGS (\Flagged)")[-1]
            client.put("Early", b"X-Number: %d\r\n\r\n" % count)
            assert b"* %d EXISTS\r\n" % count in client.ask("SELECT Early")
        assert validities == sorted(set(validities))
        uids = [parse(line)[3][1] for line in client.ask("FETCH 1:* (UID)")[:-1]]
        assert uids == [b"1", b"2", b"3", b"4"]
        idle.send(b"DONE\r\n")
        assert idle.wait(idling)[1].is_ok
