"""The scripted DNS server of the tests: what must not depend on when it ends."""

import socket

import dns.message

from paperpath.testing.nameserver import Nameserver


def test_a_question_that_is_answered_too_late_ends_no_thread_with_an_error() -> None:
    question = dns.message.make_query("a.example", "A").to_wire()
    for _ in range(20):
        with (
            Nameserver("a.example A 192.0.2.1") as server,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        ):
            for _ in range(20):
                client.sendto(question, (server.address, server.port))
