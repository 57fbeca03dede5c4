import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.endpoint import Endpoint, format_endpoint, parse_endpoint


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:2525", Endpoint("127.0.0.1", 2525)),
        ("[::1]:25", Endpoint("::1", 25)),
        ("0.0.0.0:1", Endpoint("0.0.0.0", 1)),
        ("[2001:DB8:0:0::1]:65535", Endpoint("2001:db8::1", 65535)),
    ],
)
def test_an_ip_address_and_a_port_are_read(text, endpoint):
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:025",
        "127.0.0.1:+25",
        "127.0.0.1:٢٥",
        " 127.0.0.1:25",
        "127.0.0.1:25\n",
        "127.0.0:25",
        "256.0.0.1:25",
        "[127.0.0.1]:25",
        "::1:25",
        "[::1]",
        "[::g]:25",
        "[fe80::1%eth0]:25",
        "localhost:25",
        ":25",
    ],
)
def test_anything_else_is_refused_with_what_was_expected(text):
    with pytest.raises(ValueError, match=r'^expected "ADDRESS:PORT"'):
        parse_endpoint(text)


@given(address=st.ip_addresses(), port=st.integers(1, 65535))
def test_formatting_is_the_inverse_of_parsing(address, port):
    endpoint = Endpoint(str(address), port)
    assert parse_endpoint(format_endpoint(endpoint)) == endpoint


def test_an_ipv6_address_is_shown_in_brackets():
    assert str(Endpoint("::1", 25)) == "[::1]:25"
    assert str(Endpoint("127.0.0.1", 25)) == "127.0.0.1:25"


@pytest.mark.parametrize(
    ("text", "unspecified"),
    [("0.0.0.0:25", True), ("[::]:25", True), ("127.0.0.1:25", False), ("[::1]:25", False)],
)
def test_the_addresses_that_mean_every_interface_are_known(text, unspecified):
    assert parse_endpoint(text).is_unspecified is unspecified
