"""The agent of a user, with a helper that says what it is told to (P1, P4, F-5)."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from paperpath.local.agents.attempt import R250_DELIVERED
from paperpath.local.agents.interface import Desk
from paperpath.local.agents.user import UserAgent
from paperpath.local.delivery import deliver_batch
from paperpath.local.places import Helper
from paperpath.local.users.asking import LOST, NOT_THERE
from paperpath.local.users.deliveries import BUSY, TOO_LONG
from paperpath.local.users.packets import END, GO, Answer, Request, format_answer, parse_request, read_piece
from paperpath.local.users.place import SOCKET
from paperpath.mail.outcome import Deferred, Delivered, Failed, SetAside
from tests.unit.local.test_delivery import claim, content, depot

DESK = Desk("mx.here.example", 1_000_000)
Serve = Callable[[socket.socket], None]


class Talk:
    """What a helper heard, by connection."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.contents: list[bytes] = []

    def take(self, connection: socket.socket) -> None:
        request = parse_request(connection.recv(10_000))
        assert request is not None
        self.requests.append(request)

    def take_content(self, connection: socket.socket) -> bytes:
        """Take a content; return the last packet, which is the end or nothing."""
        connection.send(GO)
        octets = b""
        while (packet := connection.recv(100_000)) not in (END, b""):
            octets += read_piece(packet)
        self.contents.append(octets)
        return packet


@contextmanager
def helper(folder: Path, *serves: Serve) -> Iterator[None]:
    """Serve as many connections, one after another."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen()

        def run() -> None:
            for serve in serves:
                connection, _ = listener.accept()
                with connection:
                    serve(connection)

        thread = Thread(target=run)
        thread.start()
        yield
        thread.join()


def test_F1_F2_P4_the_helper_gets_what_any_mailbox_gets_under_the_name_of_the_delivery(
    tmp_path: Path,
) -> None:
    talk = Talk()

    def serve(connection: socket.socket) -> None:
        talk.take(connection)
        assert talk.take_content(connection) == END
        connection.send(format_answer(Answer(R250_DELIVERED)))

    one, two = claim(1, "ann"), replace(claim(2, "ann+x"), tried=True, return_path=None)
    with helper(tmp_path, serve, serve):
        outcomes = UserAgent("ann", tmp_path, 5).deliver([one, two], DESK)
    assert outcomes == [Delivered(R250_DELIVERED)] * 2
    assert talk.requests == [
        Request("ann", "1700000000.M123R1.mx.here.example", False, one.return_path, 1_700_000_000_000_123),
        Request("ann", "1700000000.M123R2.mx.here.example", True, None, 1_700_000_000_000_123),
    ]
    head = b"Return-Path: <a@b.example>\nDelivered-To: ann@here.example\n"
    assert talk.contents[0] == head + b"Received: x\nSubject: y\n\nbody\n"
    assert talk.contents[1].startswith(b"Return-Path: <>\nDelivered-To: ann+x@here.example\n")


def test_E16_what_was_delivered_to_the_address_before_does_not_get_to_the_helper(tmp_path: Path) -> None:
    before = claim(1, "ann", held=content(b"Delivered-To: ann@here.example\r\n\r\n"))
    (outcome,) = UserAgent("ann", tmp_path, 5).deliver([before], DESK)
    assert isinstance(outcome, Failed)


def test_P1_damaged_content_is_not_ended_and_so_not_delivered(tmp_path: Path) -> None:
    ends: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        talk = Talk()
        talk.take(connection)
        ends.append(talk.take_content(connection))

    with helper(tmp_path, serve):
        (outcome,) = UserAgent("ann", tmp_path, 5).deliver(
            [claim(1, "ann", held=content(digest=b"other"))], DESK
        )
    assert isinstance(outcome, SetAside)
    assert ends == [b""]


@pytest.mark.parametrize("answer", [BUSY, TOO_LONG])
def test_P6_what_is_in_the_way_of_one_is_not_waited_for_by_the_others(tmp_path: Path, answer: Answer) -> None:
    def serve(connection: socket.socket) -> None:
        Talk().take(connection)
        connection.send(format_answer(answer))

    with helper(tmp_path, serve):
        outcomes = UserAgent("ann", tmp_path, 5).deliver([claim(1, "ann"), claim(2, "ann")], DESK)
    assert [outcome.reply for outcome in outcomes] == [answer.reply] * 2
    assert [outcome.uncertain for outcome in outcomes if isinstance(outcome, Deferred)] == [
        answer.uncertain,
        False,
    ]


def test_P4_who_is_lost_may_have_delivered(tmp_path: Path) -> None:
    def go(connection: socket.socket) -> None:
        Talk().take(connection)
        connection.send(GO)

    def end(connection: socket.socket) -> None:
        Talk().take(connection)

    def lie(connection: socket.socket) -> None:
        Talk().take(connection)
        connection.send(b"nonsense")

    for serve in (go, end, lie):
        (folder := tmp_path / serve.__name__).mkdir()
        with helper(folder, serve):
            (outcome,) = UserAgent("ann", folder, 5).deliver([claim(1, "ann")], DESK)
        assert isinstance(outcome, Deferred)
        assert (outcome.reply, outcome.uncertain) == (LOST.reply, True)


def test_F5_without_a_helper_mail_waits_and_accounts_get_theirs(tmp_path: Path) -> None:
    to_user = replace(claim(1, "ann"), destination="user:ann")
    here = replace(depot(tmp_path, create=True), helper=Helper(tmp_path, 5))
    outcomes = deliver_batch([to_user, claim(2, "joe")], here)
    assert isinstance(outcomes[0], Deferred)
    assert (outcomes[0].reply, outcomes[0].uncertain) == (NOT_THERE.reply, False)
    assert isinstance(outcomes[1], Delivered)
    (outcome,) = deliver_batch([to_user], depot(tmp_path))
    assert str(outcome.reply) == "451 4.3.5 Users of this host have no mailboxes any more"
