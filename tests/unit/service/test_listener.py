"""Listeners: all or none, with an error that says who wants what."""

import os
import select
import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from paperpath.config.endpoint import DatagramPort, Endpoint, LocalSocket, Port
from paperpath.service.activation import Activation
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


@pytest.fixture
def place(tmp_path: Path) -> LocalSocket:
    return LocalSocket(tmp_path / "run" / "submission.sock")


def connect(place: LocalSocket) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(place))
    return client


def test_L3_a_local_socket_is_open_to_all_and_its_folder_can_be_passed(place: LocalSocket) -> None:
    with ExitStack() as stack:
        (listener,) = open_listeners("smtpsd", [place])
        stack.enter_context(listener)
        stack.enter_context(connect(place))
        assert stat.S_IMODE(place.path.stat().st_mode) == 0o666
        assert stat.S_IMODE(place.path.parent.stat().st_mode) == 0o711
        assert selectable(listener)


def test_one_local_socket_is_in_all_sets(place: LocalSocket) -> None:
    with ExitStack() as stack:
        sets = open_listener_sets("smtpsd", [Endpoint("127.0.0.1", find_free_port()), place], 3)
        for port, local in sets:
            stack.enter_context(port)
            stack.enter_context(local)
            assert local is sets[0][1]
        assert len({port.fileno() for port, _ in sets}) == 3


def test_L3_a_local_socket_is_taken_over_only_from_who_is_dead(place: LocalSocket) -> None:
    (listener,) = open_listeners("smtpsd", [place])
    with pytest.raises(ServiceError, match="smtpsd is running already"):
        open_listeners("smtpsd", [place])
    listener.close()
    (again,) = open_listeners("smtpsd", [place])
    with again, connect(place):
        assert selectable(again)


def test_a_local_socket_where_there_can_be_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceError, match=r"smtpsd cannot listen on .*/file/x\.sock: "):
        open_listeners("smtpsd", [LocalSocket(tmp_path / "file" / "x.sock")])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_can_be_had_by_tcp_and_by_udp(host: str) -> None:
    endpoint = Endpoint(host, find_free_port())
    ports: list[Port] = [endpoint, DatagramPort(endpoint)]
    stream, datagrams = open_listeners("dnslistd", ports)
    with stream, datagrams, socket.socket(datagrams.family, socket.SOCK_DGRAM) as client:
        assert datagrams.type is socket.SOCK_DGRAM
        client.sendto(b"question", (host, endpoint.port))
        assert select.select([datagrams], [], [], 10)[0]
        assert datagrams.recv(100) == b"question"
        with pytest.raises(ServiceError, match=rf"{endpoint.port} \(UDP\): another program has it already"):
            open_listeners("dnslistd", ports[1:])
        given = [("dnslistd.socket", os.dup(each.fileno())) for each in (datagrams, stream)]
        taken = Activation(given).take("dnslistd", ports)
        assert taken is not None
        assert [each.type for each in taken] == [socket.SOCK_STREAM, socket.SOCK_DGRAM]
        for each in taken:
            each.close()
