"""Clients that mean harm to imapd: an error line at most, bounded memory, and others are served (P6)."""

import imaplib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from paperpath.accounts.attempts import OF_ACCOUNT
from paperpath.imap.grammar.fetch import MOST_ITEMS
from paperpath.imap.grammar.listing import MOST_PATTERNS
from paperpath.imap.verbs import VERBS, WITH_UID
from tests.support.imap import Imap, said
from tests.support.installation import Process, wait_until
from tests.support.process import count_descriptors, resident_kib
from tests.support.submission import ACCOUNT, PASSWORD
from tests.support.tls import make_client_context

pytestmark = pytest.mark.slow

ROOM_KIB = 64 * 1024  # what imapd may need for all that is done to it in one test
STRANGERS = 90  # there are at most 100 from one address
BIG = b"Subject: big\r\nX: " + b"y" * 4_000_000 + b"\r\n\r\n" + b"z" * 1_000_000 + b"\r\n"

BEHIND_A_NAME = (
    "",
    "1:*",
    "1:4294967295",
    "4294967295:* (UID)",
    "4294967296 (UID)",
    "4294967295 +FLAGS (x)",
    "99999999999999999999999 y",
    "1 ((((",
    "(" * 10_000,
    "(" * 5000 + "ALL" + ")" * 5000,
    "NOT " * 5000 + "ALL",
    '"a\0b"',
    '"a\0b" "c"',
    "{4294967296}",
    "{4294967295}",
    "INBOX {99999999999999999999}",
    "x" * 100_000,
    "\x7f\xff\xfe",
    '"',
    "PLAIN AGEAYg==",
    "SCRAM-SHA-256 =",
)
NAMES = (
    "..",
    ".",
    "../joe",
    "../../outside",
    "/outside",
    "INBOX/../../outside",
    "a//b",
    "cur",
    "new/../outside",
    "~root",
    "#news.outside",
    "paperpath-index",
    "a\0b",
    "a\\r\\nb",
    "%s%n%x",
    "x" * 1000,
    "x/" * 500 + "x",
    "&AC8-outside",
    "&AC4AJg-",
    "&AAA-",
    "&2AA-",
    "&Jjo",
    "&",
    "\xe4",
)

AT_NAMES = (
    b"CREATE %b",
    b"SELECT %b",
    b"SUBSCRIBE %b",
    b"RENAME %b made",
    b"STATUS %b (MESSAGES)",
    b"DELETE %b",
    b"RENAME INBOX %b",
    b"APPEND %b {3+}\r\nabc",
    b'LIST "" %b',
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Imap, Process]]:
    installation = Imap(tmp_path_factory.mktemp("hostile"))
    with installation.start("imapd") as process:
        wait_until(lambda: "listening" in installation.output(), "imapd to listen")
        installation.read().logout()  # joe is known to come from here: no other can lock him out
        yield installation, process


@pytest.fixture
def imap(running: tuple[Imap, Process]) -> Imap:
    return running[0]


@pytest.fixture
def pid(running: tuple[Imap, Process]) -> Iterator[int]:
    """Give imapd, and see that it is well at the end: the same process, which serves and has not grown."""
    imap, process = running
    before = resident_kib(process.pid)
    yield process.pid
    client = imap.read()
    assert client.noop()[0] == "OK"
    client.logout()
    assert process.poll() is None
    assert resident_kib(process.pid) - before < ROOM_KIB
    assert "defect" not in imap.output()
    assert PASSWORD not in imap.output()


def connect(imap: Imap, *, tls: bool = True) -> imaplib.IMAP4:
    if not tls:
        return imaplib.IMAP4("127.0.0.1", imap.imap_port, timeout=60)
    return imaplib.IMAP4_SSL("127.0.0.1", imap.imaps_port, ssl_context=make_client_context(), timeout=60)


def enter(imap: Imap, state: str = "selected") -> imaplib.IMAP4:
    """Come as a stranger in the clear, or log in, or with a mailbox selected."""
    client = connect(imap, tls=state != "stranger")
    if state != "stranger":
        client.login(ACCOUNT, PASSWORD)
    if state == "selected":
        client.select()
    return client


def hear(client: imaplib.IMAP4) -> bytes:
    try:
        return client.readline()
    except OSError:
        return b""


def attack(client: imaplib.IMAP4, lines: list[bytes]) -> bool:
    """Send lines at once; see that no more than lines come back, and tell whether the session goes on."""
    with suppress(OSError):  # it has had enough, and does not wait for all
        client.sock.sendall(b"".join(b"t %b\r\n" % line for line in lines) + b"z NOOP\r\n")
    answers = 0
    while answer := hear(client):
        assert len(answer) < 10_000
        answers += answer.startswith(b"t ")
        if answer.startswith((b"* BYE", b"z ")):
            assert answers <= len(lines)
            return answer.startswith(b"z OK")
    return False


@pytest.mark.parametrize("state", ["stranger", "authenticated", "selected"])
def test_P6_every_command_with_nonsense_behind_it_is_answered_by_a_line_in_every_state(
    imap: Imap, pid: int, state: str
) -> None:
    names = [name for name in VERBS if name not in {"LOGOUT", "STARTTLS", "IDLE", "COMPRESS"}]
    names += [f"UID {verb.value}" for verb in WITH_UID]
    lines = [f"{name} {behind}".encode("latin-1") for name in names for behind in BEHIND_A_NAME]
    client = enter(imap, state)
    for begin in range(0, len(lines), 12):
        if not attack(client, lines[begin : begin + 12]):
            client.shutdown()
            client = enter(imap, state)
    client.shutdown()


def test_S3_no_name_of_a_mailbox_leads_out_of_it(imap: Imap, pid: int) -> None:
    home = imap.mailboxes / "here.example" / "joe"
    outside = [path for path in imap.folder.rglob("*") if not path.is_relative_to(home)]
    there = {path.name for path in home.iterdir()}
    client = enter(imap)
    for name in NAMES:
        octets = name.encode("latin-1").decode("unicode_escape").encode("latin-1")
        said_as = b"{%d+}\r\n%b" % (len(octets), octets)
        for command in AT_NAMES:
            if not attack(client, [command % said_as]):
                client.shutdown()
                client = enter(imap)
    client.shutdown()
    assert [path for path in imap.folder.rglob("*") if not path.is_relative_to(home)] == outside
    made = {path.name for path in home.iterdir()} - there
    assert all(name.startswith(".") and "/" not in name for name in made - {"paperpath-folders"}), made
    assert not (home / "outside").exists()


def test_S2_lines_and_literals_without_end_are_not_kept(imap: Imap, pid: int) -> None:
    ends = (
        b"a NOOP ",
        b"a LOGIN {4294967295+}\r\n",
        b"a APPEND x {4294967295+}\r\n",
        b"",
        b'a LOGIN "',
        b"a AUTHENTICATE PLAIN\r\n",
    )
    with ExitStack() as opened:
        for begin in ends:
            client = connect(imap)
            opened.callback(client.shutdown)
            client.sock.sendall(begin)
            for _ in range(80):
                with suppress(OSError):
                    client.sock.sendall(b"x" * 100_000)
        assert resident_kib(pid) < 200 * 1024
        client = imap.read()
        client.sock.sendall(b"a APPEND INBOX {50000000+}\r\n" + bytes(1_000_000))
        opened.callback(client.shutdown)
    wait_until(
        lambda: not list((imap.mailboxes / "here.example" / "joe" / "tmp").iterdir()), "tmp to be empty"
    )


def test_S2_clients_that_do_nothing_or_do_not_read_keep_nobody_waiting(imap: Imap, pid: int) -> None:
    client = imap.read()
    client.append("INBOX", "", "", BIG)
    client.logout()
    before = count_descriptors(pid)
    with ExitStack() as opened:
        for number in range(STRANGERS):
            quiet = opened.enter_context(
                closing(socket.create_connection(("127.0.0.1", imap.imap_port), timeout=20))
            )
            quiet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            quiet.sendall((b"", b"a NOO", b"a CAPABILITY\r\n" * 5000)[number % 3])
        for _ in range(5):
            deaf = imap.read()
            opened.callback(deaf.shutdown)
            deaf.sock.sendall(b"a FETCH 1:* (BODY.PEEK[])\r\n" * 100)
        client = imap.read()
        assert client.noop()[0] == "OK"
        client.logout()
        assert resident_kib(pid) < 250 * 1024
    wait_until(lambda: count_descriptors(pid) <= before, "all to be let go")


def test_S2_what_one_command_may_ask_for_is_bounded(imap: Imap, pid: int) -> None:
    client = imap.read()
    client.create("Bound")
    client.append("Bound", "", "", BIG)
    client.select("Bound")
    # The same 4 MB two hundred times over: made one after another, while they are read.
    items = " ".join(f"BODY.PEEK[HEADER.FIELDS (X)]<{place}.4000000>" for place in range(MOST_ITEMS))
    client.send(f"f FETCH 1 ({items})\r\n".encode())
    assert client.readline().startswith(b"* 1 FETCH (")
    assert resident_kib(pid) < 250 * 1024
    client.shutdown()
    client = imap.read()
    assert said(client, f"FETCH 1 ({items} UID)")[-1].startswith(b"BAD [LIMIT]")
    patterns = " ".join(f"%{place}%" for place in range(MOST_PATTERNS + 1))
    assert said(client, f'LIST "" ({patterns})')[-1].startswith(b"BAD [LIMIT]")
    assert said(client, f"STORE 1 +FLAGS ({'k' * 1000})")[-1].startswith(b"NO [LIMIT]")
    client.logout()


def test_S7_of_ten_thousand_guesses_a_few_are_looked_at_and_others_get_in(imap: Imap, pid: int) -> None:
    clients = [connect(imap) for _ in range(20)]
    for number, client in enumerate(clients):
        client.sock.sendall(b"".join(b"g LOGIN tim guess%d.%d\r\n" % (number, one) for one in range(500)))
    heard = [hear(client) for client in clients for _ in range(2)]
    assert sum(b"[AUTHENTICATIONFAILED]" in line for line in heard) <= OF_ACCOUNT.failures
    assert all(line.startswith(b"g NO ") for line in heard)
    client = imap.read()
    assert client.noop()[0] == "OK"
    client.logout()
    for client in clients:
        client.shutdown()


def test_S12_nothing_that_a_client_says_makes_a_line_of_the_log(imap: Imap, pid: int) -> None:
    forged = "2026-11-23T00:00:00Z imapd info logged in account=root"
    client = connect(imap)
    said_as = f"x\n{forged}"
    client.sock.sendall(
        b'a ID ("name" {%d+}\r\n%b "version" "1\x1b[31m")\r\n' % (len(said_as), said_as.encode())
        + b"b LOGIN {%d+}\r\n%b {3+}\r\nabc\r\nc NOOP\r\n" % (len(said_as), said_as.encode())
    )
    while not client.readline().startswith(b"c OK"):
        pass
    client.shutdown()
    wait_until(lambda: "login refused" in imap.output(), "the refusal to be told")
    lines = imap.output().splitlines()
    assert any(forged in line for line in lines)
    assert not any(line.startswith("2026-11-23T00:00:00Z") for line in lines)
    assert "\x1b" not in imap.output()
