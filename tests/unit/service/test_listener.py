"""Listeners: all or none, with an error that says who wants what."""

import os
import socket

import pytest

from paperpath.config.endpoint import Endpoint
from paperpath.service.errors import ServiceError
from paperpath.service.listener import open_listeners
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
