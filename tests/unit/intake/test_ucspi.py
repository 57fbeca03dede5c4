"""What the environment of a spawned program says of its client, and what it may not say."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.intake.access import ServiceClass
from paperpath.intake.ucspi import clean_address, describe_connection, find_client, find_service

NULL, NORMAL, PRIVILEGED = ServiceClass.NULL, ServiceClass.NORMAL, ServiceClass.PRIVILEGED


@pytest.mark.parametrize(
    ("environment", "client"),
    [
        ({"PROTO": "TCP", "TCPREMOTEIP": "192.0.2.1", "TCPREMOTEPORT": "4711"}, ("192.0.2.1", 4711)),
        ({"PROTO": "TCP6", "TCPREMOTEIP": "2001:DB8:0::1", "TCPREMOTEPORT": "25"}, ("2001:db8::1", 25)),
        ({"PROTO": "TCP6", "TCPREMOTEIP": "::ffff:192.0.2.1"}, ("192.0.2.1", 0)),
        ({"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "4711"}, ("192.0.2.1", 4711)),
        ({"PROTO": "UNIX", "TCPREMOTEIP": "192.0.2.1"}, ("", 0)),
        ({"TCPREMOTEIP": "192.0.2.1"}, ("", 0)),
        ({"PROTO": "TCP", "REMOTE_ADDR": "192.0.2.1"}, ("", 0)),
        ({}, ("", 0)),
    ],
)
def test_L17_the_client_is_who_the_environment_says(
    environment: dict[str, str], client: tuple[str, int]
) -> None:
    assert find_client(environment) == client


HOSTILE = [
    "192.0.2.1\r\nReceived: from here",
    "192.0.2.1 (trusted)",
    "192.0.2.1\n",
    "\udcff\udcfe",
    "١٩٢.0.2.1",
    "fe80::1)%eth0",
    "mail.example",
    "[192.0.2.1]",
    "1" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_S6_what_is_no_address_is_nobodys(text: str) -> None:
    assert find_client({"PROTO": "TCP", "TCPREMOTEIP": text, "TCPREMOTEPORT": "25"}) == ("", 25)
    assert find_client({"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": text}) == ("192.0.2.1", 0)


@pytest.mark.parametrize("text", ["fe80::1%eth0", "fe80::1%\r\nX: (", "fe80::1%\udcff"])
def test_S6_a_zone_which_may_be_any_text_is_left_out(text: str) -> None:
    assert clean_address(text) == "fe80::1"


@pytest.mark.parametrize("text", ["65536", "99999", "-1", "+25", "2_5", "²", "٢٥", "", " 25"])
def test_S6_what_is_no_port_is_none(text: str) -> None:
    assert find_client({"REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": text}) == ("192.0.2.1", 0)


@given(st.text() | st.ip_addresses().map(str))
def test_S6_nothing_but_an_address_comes_out(text: str) -> None:
    address = clean_address(text)
    assert not address or str(ipaddress.ip_address(address)) == address
    assert clean_address(address) == address


@pytest.mark.parametrize(
    ("argument", "environment", "service"),
    [
        (NULL, {"ACCESSLEVEL": "2", "RELAYCLIENT": ""}, NULL),
        (None, {"ACCESSLEVEL": "0", "RELAYCLIENT": ""}, NULL),
        (None, {"ACCESSLEVEL": "1"}, NORMAL),
        (None, {"ACCESSLEVEL": "2"}, PRIVILEGED),
        (None, {"RELAYCLIENT": ""}, PRIVILEGED),
        (None, {"RELAYCLIENT": "@else.example"}, PRIVILEGED),
        (None, {}, None),
    ],
)
def test_C9_L14_an_argument_goes_before_the_environment_and_that_before_the_rules(
    argument: ServiceClass | None, environment: dict[str, str], service: ServiceClass | None
) -> None:
    assert find_service(argument, environment) is service


@pytest.mark.parametrize("level", ["", "3", "2 ", "٢", "root"])
def test_C9_a_level_that_is_none_is_refused(level: str) -> None:
    with pytest.raises(ValueError, match="ACCESSLEVEL: expected deny, null, normal or privileged"):
        find_service(None, {"ACCESSLEVEL": level, "RELAYCLIENT": ""})


STALE = {
    "TCPREMOTEHOST": "trusted.example",
    "TCPREMOTEINFO": "root",
    "REMOTE_ADDR": "127.0.0.1",
    "RELAYCLIENT": "",
    "ACCESSLEVEL": "2",
}


@pytest.mark.parametrize(
    ("address", "protocol", "level"),
    [("192.0.2.1", "TCP", 0), ("2001:db8::1", "TCP6", 1), ("192.0.2.1", "TCP", 2), ("::1", "TCP6", None)],
)
def test_L17_what_is_written_is_what_is_read(address: str, protocol: str, level: int | None) -> None:
    described = describe_connection({"PATH": "/bin", **STALE}, ("192.0.2.9", 25), (address, 4711), level)
    assert find_client(described) == (address, 4711)
    assert described["PROTO"] == protocol
    assert (described["TCPLOCALIP"], described["TCPLOCALPORT"]) == ("192.0.2.9", "25")
    service = find_service(None, described)
    assert (None if service is None else service.level) == level


def test_L17_nothing_is_handed_on_of_another_connection() -> None:
    described = describe_connection({"PATH": "/bin", **STALE}, ("192.0.2.9", 25), ("192.0.2.1", 1), None)
    assert not STALE.keys() & described.keys()
    assert described["PATH"] == "/bin"
