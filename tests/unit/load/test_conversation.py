"""What the source says, and what it makes of replies: without a socket."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from paperpath.load.conversation import Common, converse
from paperpath.load.pace import Pace
from paperpath.load.plan import Load, Protocol, Security
from paperpath.load.steps import Connect, Heard, LostError, Rest, Say, StartTls, Step
from paperpath.load.tally import Tally
from paperpath.load.timeline import Timeline
from paperpath.load.writing import Writing
from paperpath.mail.reply import Reply, parse_shown_reply

GONE = "gone"


class Server:
    """Carries out what a conversation wants; replies are chosen by the first word of what is said."""

    def __init__(self, load: Load, **replies: Sequence[str]) -> None:
        self.now_us = 0
        self.tally = Tally(Timeline(0), patience=5)
        self.common = Common(load, Writing(load, "0" * 16), Pace(load, 0), self.tally, lambda: self.now_us)
        self.replies = {verb: list(some) for verb, some in replies.items()}
        self.said: list[str] = []
        self.talk = converse(self.common)

    def run(self) -> None:
        """Talk to the end."""
        try:
            step = next(self.talk)
            while True:
                answers = self._answer(step)
                if answers and answers[-1] == GONE:
                    step = self.talk.throw(LostError(GONE))
                else:
                    self.now_us += 100
                    step = self.talk.send(
                        Heard([read(text) for text in answers], self.now_us, self.now_us - 60)
                    )
        except StopIteration:
            pass

    def _answer(self, step: Step) -> list[str]:
        if isinstance(step, Rest):
            self.said.append("rest")
            self.now_us = max(self.now_us, self.common.pace.due_us)
            return []
        if isinstance(step, Connect | StartTls):
            self.said.append(type(step).__name__)
            return [self._choose("connect", "220 hello")] * step.replies
        verbs = self._list_verbs(step)
        self.said.append("+".join(verbs))
        return [self._choose(verb, "354 go" if verb == "DATA" else "250 ok") for verb in verbs]

    def _list_verbs(self, say: Say) -> list[str]:
        if say.octets.endswith(b"\r\n.\r\n"):
            return ["dot"] * say.replies
        verbs = [line.split()[0].decode() for line in say.octets.splitlines()]
        assert len(verbs) == say.replies
        return ["nothing" if verb == "." else verb for verb in verbs]

    def _choose(self, verb: str, usual: str) -> str:
        waiting = self.replies.get(verb)
        return waiting.pop(0) if waiting else usual


def read(text: str) -> Reply:
    reply = parse_shown_reply(text)
    assert reply is not None
    return reply


def serve(fields: dict[str, Any], **replies: Sequence[str]) -> Server:
    load = replace(Load("a@b.example", ("me@here.example",), messages=2), **fields)
    server = Server(load, **replies)
    server.run()
    return server


TRANSACTION = ["MAIL+RCPT+DATA", "dot"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ["Connect", "EHLO", *TRANSACTION * 2, "QUIT"]),
        ({"per_connection": 1}, ["Connect", "EHLO", *TRANSACTION, "QUIT"] * 2),
        ({"pipelining": False}, ["Connect", "EHLO", *["MAIL", "RCPT", "DATA", "dot"] * 2, "QUIT"]),
        (
            {"protocol": Protocol.LMTP, "recipients": 2},
            ["Connect", "LHLO", *["MAIL+RCPT+RCPT+DATA", "dot+dot"] * 2, "QUIT"],
        ),
        (
            {"security": Security.STARTTLS, "user": "me", "password": "x"},
            ["Connect", "EHLO", "STARTTLS", "StartTls", "EHLO", "AUTH", *TRANSACTION * 2, "QUIT"],
        ),
        ({"security": Security.AT_ONCE}, ["Connect", "StartTls", "EHLO", *TRANSACTION * 2, "QUIT"]),
        ({"rate": 1}, ["Connect", "EHLO", *TRANSACTION, "rest", *TRANSACTION, "QUIT"]),
    ],
)
def test_what_is_said(fields: dict[str, Any], said: list[str]) -> None:
    server = serve(fields)
    assert server.said == said
    assert (server.tally.accepted, server.tally.refused, server.tally.failed) == (2, 0, 0)
    assert server.tally.recipients == 2 * fields.get("recipients", 1)
    assert server.tally.octets == 2 * 4096


def test_the_time_is_that_between_the_last_octet_and_the_reply() -> None:
    lengths = serve({}).tally.replies.sum().lengths
    assert (lengths.count, lengths.percentile(50), lengths.most_us) == (2, 60, 60)


def test_a_refused_message_is_counted_with_its_reason_and_the_connection_stays() -> None:
    server = serve({}, RCPT=["550 5.1.1 nobody"], DATA=["554 no recipients"])
    assert server.said == ["Connect", "EHLO", "MAIL+RCPT+DATA", "RSET", *TRANSACTION, "QUIT"]
    assert (server.tally.accepted, server.tally.refused) == (1, 1)
    assert server.tally.reasons == {"550 5.1.1 nobody": 1}


def test_what_is_taken_for_some_counts_for_those() -> None:
    server = serve({"recipients": 3}, RCPT=["250 ok", "450 later", "250 ok"])
    assert (server.tally.accepted, server.tally.recipients) == (2, 5)
    server = serve({"recipients": 2, "protocol": Protocol.LMTP}, dot=["250 ok", "452 full"])
    assert (server.tally.accepted, server.tally.recipients) == (2, 3)


def test_a_message_for_nobody_is_not_given_to_a_server_that_would_take_it() -> None:
    server = serve({}, RCPT=["550 nobody"])
    assert server.said[2:5] == ["MAIL+RCPT+DATA", "nothing", "RSET"]
    assert (server.tally.accepted, server.tally.refused) == (1, 1)


def test_a_refusal_at_the_end_is_no_acceptance() -> None:
    server = serve({}, dot=["452 no space"])
    assert (server.tally.accepted, server.tally.refused, server.tally.reasons) == (1, 1, {"452 no space": 1})


def test_who_says_421_is_left() -> None:
    server = serve({}, MAIL=["421 closing"], RCPT=["503 no"], DATA=["503 no"])
    assert server.said == ["Connect", "EHLO", "MAIL+RCPT+DATA", "Connect", "EHLO", *TRANSACTION, "QUIT"]
    assert (server.tally.accepted, server.tally.refused, server.tally.failed) == (1, 1, 0)


def test_a_lost_connection_loses_its_message_and_another_is_made() -> None:
    server = serve({}, dot=[GONE])
    assert server.said == ["Connect", "EHLO", *TRANSACTION, "Connect", "EHLO", *TRANSACTION, "QUIT"]
    assert (server.tally.accepted, server.tally.failed, server.tally.reasons) == (1, 1, {GONE: 1})


def test_a_connection_lost_behind_the_last_message_loses_none() -> None:
    server = serve({}, QUIT=[GONE])
    assert (server.tally.accepted, server.tally.failed, server.tally.reasons) == (2, 0, {GONE: 1})


def test_a_load_ends_where_nothing_is_taken_any_more() -> None:
    server = serve({"messages": 1000}, connect=["554 go away"] * 1000)
    assert server.said == ["Connect"] * 5
    assert server.tally.reasons == {"554 go away": 5}
    server = serve({"messages": 1000}, MAIL=["550 no"] * 1000, RCPT=["503 no"] * 1000, DATA=["503 no"] * 1000)
    assert server.tally.refused == 5


def test_reasons_are_bounded() -> None:
    tally = Tally(Timeline(0))
    for number in range(50):
        tally.refuse(f"550 {number} {'x' * 1000}")
    assert len(tally.reasons) == 11
    assert tally.reasons["other reasons"] == 40
    assert max(map(len, tally.reasons)) <= 200
