"""The sink's dialogue without a socket: what it answers, and what it knows of what came."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from paperpath.load.arrivals import Runs
from paperpath.load.dialogue import Dialogue
from paperpath.load.plan import Load, Share
from paperpath.load.token import Token
from paperpath.load.writing import Writing

RUN = "0123456789abcdef"
LOAD = Load("a@b.example", ("me@here.example",), sizes=(Share(300, 1), Share(5000, 1)), recipients=2)
WRITING = Writing(LOAD, RUN)
TRACE = b"Received: from a.example by b.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n"


def session(count: int, *, before: bytes = b"") -> bytes:
    wire = b"EHLO x.example\r\n"
    for number in range(count):
        wire += (
            b"".join(say.octets for say in WRITING.envelope(number)) + before + WRITING.content(number, 1000)
        )
    return wire + b"QUIT\r\n"


def talk(pieces: list[bytes]) -> tuple[Runs, bytes]:
    runs = Runs()
    dialogue = Dialogue(runs, lambda: 1500)
    return runs, b"".join(dialogue.receive(piece) for piece in pieces)


@given(st.integers(0, 4), st.lists(st.integers(1, 12_000), max_size=8))
def test_any_cut_of_what_comes_is_answered_alike(count: int, cuts: list[int]) -> None:
    wire = session(count, before=TRACE)
    ends = sorted({0, *(cut % len(wire) for cut in cuts), len(wire)})
    runs, said = talk([wire[begin:end] for begin, end in pairwise(ends)])
    codes = [line[:3] for line in said.split(b"\r\n") if line[3:4] == b" "]
    assert codes == [b"250", *[b"250", b"250", b"250", b"354", b"250"] * count, b"221"]
    assert (runs.messages, runs.recipients) == (count, 2 * count)
    arrivals = runs.find(RUN)
    assert (arrivals is not None) == bool(count)
    if arrivals is not None:
        assert (arrivals.messages, arrivals.recipients, arrivals.last_us) == (count, 2 * count, 1500)
        assert arrivals.came.sum().lengths.most_us == 500


def test_octet_by_octet_is_the_same() -> None:
    wire = session(2)
    runs, said = talk([wire[place : place + 1] for place in range(len(wire))])
    assert said == talk([wire])[1]
    assert runs.messages == 2


def test_a_message_without_a_line_or_a_token_ends_too() -> None:
    runs, said = talk([b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\nNOOP\r\n"])
    assert said.count(b"250 ") == 4
    assert (runs.messages, runs.recipients) == (1, 1)


def test_stuffed_dots_end_nothing() -> None:
    runs, _ = talk([b"RCPT TO:<a@b>\r\nDATA\r\n..\r\n.. \r\n.x\r\n\r\n.\r\n"])
    assert runs.messages == 1


def test_by_lmtp_each_recipient_has_an_answer() -> None:
    _, said = talk([b"LHLO x\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<a@b>\r\n" * 3 + b"DATA\r\nx\r\n.\r\n"])
    assert said.partition(b"354 ")[2].count(b"250 ") == 3


def test_what_is_not_known_is_refused_and_lines_are_bounded() -> None:
    assert talk([b"VRFY me\r\n"])[1].startswith(b"500 ")
    runs = Runs()
    dialogue = Dialogue(runs, lambda: 0)
    assert dialogue.receive(b"x" * 10_000).startswith(b"500 ")
    assert dialogue.has_ended


def test_it_tells_what_came_of_a_run() -> None:
    runs, _ = talk([session(3)])
    told = Dialogue(runs, lambda: 0).receive(b"XARRIVALS " + RUN.encode() + b"\r\nXARRIVALS other\r\n")
    known, unknown = told.splitlines()
    described = json.loads(known[4:])
    assert (described["messages"], described["recipients"], described["last_us"]) == (3, 6, 1500)
    assert unknown == b"250 null"


def test_a_copy_is_no_further_message_and_runs_are_bounded() -> None:
    runs = Runs()
    for number in (0, 5, 5, 100_000, 5, 0):
        runs.note(Token("a", number, 0), 10, 1)
    arrivals = runs.find("a")
    assert arrivals is not None
    assert (arrivals.messages, arrivals.recipients) == (3, 6)
    runs.note(Token("a", 10**11, 0), 10, 1)
    assert len(arrivals._seen) < 9 * 2**20
    for run in range(50):
        runs.note(Token(f"{run}", 0, 0), 10, 1)
    assert runs.find("a") is None
    assert runs.find("49") is not None
    assert runs.messages == 57
