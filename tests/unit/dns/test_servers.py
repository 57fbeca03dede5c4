"""Which servers are asked: those of [dns], or those of resolv.conf(5)."""

from pathlib import Path

import pytest

from paperpath.config.endpoint import Endpoint
from paperpath.dns.servers import find_servers, parse_host_file
from tests.unit.config.example import RIGHT, complain, configure

OURS = (Endpoint("127.0.0.1", 53),)


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", OURS),
        ("# nameserver 192.0.2.1\nsearch example.org\nnameserver\nnameserver x", OURS),
        (
            "nameserver 192.0.2.1\n nameserver\t::1 # mine",
            (Endpoint("192.0.2.1", 53), Endpoint("::1", 53)),
        ),
    ],
)
def test_the_servers_of_the_host(text: str, servers: tuple[Endpoint, ...]) -> None:
    assert parse_host_file(text) == servers


def test_a_changed_file_is_noticed_and_one_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    find = find_servers(configure().dns, file)
    assert find() == OURS
    file.write_text("nameserver 192.0.2.1\n")
    assert find() == (Endpoint("192.0.2.1", 53),)
    file.unlink()
    assert find() == (Endpoint("192.0.2.1", 53),)


def test_servers_of_the_configuration_go_first(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text("nameserver 192.0.2.1\n")
    table = configure(f'{RIGHT}\n[dns]\nservers = ["127.0.0.1:5353"]\ntimeout_s = 2\n').dns
    assert find_servers(table, file)() == (Endpoint("127.0.0.1", 5353),)
    assert table.timeout_s == 2


@pytest.mark.parametrize(
    "line", ['servers = ["localhost:53"]', "servers = [53]", "timeout_s = 0", "port = 53"]
)
def test_what_is_no_server_is_refused(line: str) -> None:
    (problem,) = complain(f"{RIGHT}\n[dns]\n{line}\n")
    assert "dns." in problem
