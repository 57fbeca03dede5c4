"""Null SMTP on the core (A-101, A-102)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.reply import Reply
from paperpath.smtp import events
from paperpath.smtp.null import MOST_REFUSED, NullConnection
from paperpath.smtp.observer import Observer
from paperpath.smtp.states import State
from tests.support.core import cuts


def converse(*segments: bytes) -> tuple[list[bytes], list[events.Event], NullConnection]:
    core = NullConnection("mx.here.example")
    told: list[events.Event] = []
    for segment in segments:
        core.receive(segment)
        while (event := core.next_event()) is not None:
            told.append(event)
    return core.octets_to_send().split(b"\r\n")[:-1], told, core


def codes(*segments: bytes) -> list[int]:
    return [int(line[:3]) for line in converse(*segments)[0]]


def test_A101_everything_but_QUIT_is_answered_503_at_every_cut() -> None:
    lines = [
        b"EHLO a.example", b"HELO a.example", b"MAIL FROM:<a@b.example>", b"NOOP", b"RSET", b"FOO", b"",
        b"VRFY x", b"STARTTLS", b"HELP", b"BDAT 5", b"QUIT now", b"\xff\x00", b"a\nb", b"QUI", b" quit ",
    ]  # fmt: skip
    for segments in cuts(b"".join(line + b"\r\n" for line in lines)):
        replies, _, core = converse(*segments)
        assert [int(line[:3]) for line in replies] == [554, *[503] * 15, 221]
        assert replies[0].startswith(b"554 mx.here.example ")
        assert core.state is State.CLOSED


def test_A102_what_follows_DATA_is_commands_each_of_them_refused() -> None:
    assert codes(b"DATA\r\nSubject: x\r\n\r\nMAIL FROM:<>\r\n.\r\nQUIT\r\n") == [554, *[503] * 5, 221]


def test_A101_an_overlong_line_is_one_command_and_never_QUIT() -> None:
    replies, told, _ = converse(b"QUIT" + b" " * 5000, b" " * 5000, b"\r", b"\nNOOP\r\n")
    assert [int(line[:3]) for line in replies] == [554, 503, 503]
    assert told[0] == events.CommandRefused("QUIT", 10004, told[0].reply)  # type: ignore[union-attr]


def test_P6_memory_stays_bounded_while_a_line_does_not_end() -> None:
    core = NullConnection("mx.here.example")
    for _ in range(1000):
        core.receive(b"A" * 10_000)
        assert core.next_event() is None
        assert core.pending_octets == 1


def test_S2_a_flood_of_commands_ends_the_session() -> None:
    found = codes(b"NOOP\r\n" * (MOST_REFUSED + 50))
    assert found == [554, *[503] * MOST_REFUSED, 421]


def test_P9_what_may_be_a_secret_is_told_to_nobody() -> None:
    _, told, _ = converse(b"AUTH PLAIN AHRpbQBzZWNyZXQ=\r\nAHRpbQBzZWNyZXQ=\r\nMAIL FROM:<a@b>\r\n")
    shown = [(event.verb, event.argument) for event in told if isinstance(event, events.CommandRefused)]
    assert shown == [("AUTH", ""), ("", ""), ("MAIL", "FROM:<a@b>")]


def test_A101_metrics_see_the_verbs_and_the_replies() -> None:
    class Seen:
        def __init__(self) -> None:
            self.verbs: list[str] = []
            self.codes: list[int] = []

        def see_command(self, verb: str) -> None:
            self.verbs.append(verb)

        def see_reply(self, reply: Reply) -> None:
            self.codes.append(reply.code)

    seen = Seen()
    observer: Observer = seen
    core = NullConnection("mx.here.example", observer)
    core.receive(b"ehlo x\r\nsecret\r\nquit\r\n")
    while core.next_event() is not None:
        pass
    assert (seen.verbs, seen.codes) == (["EHLO", "unknown", "QUIT"], [554, 503, 503, 221])


@given(st.lists(st.binary(max_size=600), max_size=8))
def test_A101_any_octets_give_one_reply_for_each_line(segments: list[bytes]) -> None:
    found = codes(*segments)
    lines = b"".join(segments).split(b"\r\n")[:-1]
    has_quit = [line.strip(b" \t").upper() == b"QUIT" and len(line) < 512 for line in lines]
    if True in has_quit:
        assert found == [554, *[503] * has_quit.index(True), 221]
    else:
        assert found == [554, *[503] * len(lines)][: len(found)]
        assert len(lines) >= MOST_REFUSED or len(found) == 1 + len(lines)
