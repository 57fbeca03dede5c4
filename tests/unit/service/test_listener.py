"""Listeners: all or none, with an error that says who wants what."""

import os
import select
import socket
from contextlib import ExitStack

import pytest

from paperpath.config.endpoint import Endpoint
from paperpath.service.errors import ServiceError
from paperpath.service.listener import open_listener_sets, open_listeners
from tests.support.installation import find_free_port


def test_a_busy_port_is_named_and_the_others_are_let_go() -> None:
    free = find_free_port()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        with pytest.raises(
            ServiceError, match=rf"smtprd cannot listen on 127\.0\.0\.1:{port}: another"
        ) as caught:
            open_listeners("smtprd", [Endpoint("127.0.0.1", free), Endpoint("127.0.0.1", port)])
    assert caught.value.exit_code == os.EX_UNAVAILABLE
    for listener in open_listeners("smtprd", [Endpoint("127.0.0.1", free)]):
        listener.close()


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ServiceError, match=r"192\.0\.2\.1:2525: this machine does not have that address"):
        open_listeners("smtprd", [Endpoint("192.0.2.1", 2525)])


@pytest.fixture(params=["127.0.0.1", "::1"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    return Endpoint(request.param, find_free_port())


def test_several_sets_share_an_address_and_each_gets_clients(endpoint: Endpoint) -> None:
    with ExitStack() as stack:
        sets = open_listener_sets("smtprd", [endpoint], 3)
        listeners = [stack.enter_context(listener) for (listener,) in sets]
        for _ in range(200):
            stack.enter_context(socket.create_connection((endpoint.host, endpoint.port)))
        assert all(selectable(listener) for listener in listeners)


def test_no_set_shares_a_port_with_another_run(endpoint: Endpoint) -> None:
    with ExitStack() as stack:
        for (listener,) in open_listener_sets("smtprd", [endpoint], 2):
            stack.enter_context(listener)
        for count in (1, 2):
            with pytest.raises(ServiceError, match="another program has it already"):
                open_listener_sets("smtprd", [endpoint], count)


def selectable(listener: socket.socket) -> bool:
    readable, _, _ = select.select([listener], [], [], 5)
    return bool(readable)
