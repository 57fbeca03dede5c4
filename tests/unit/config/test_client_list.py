"""Lists of clients as the configuration writes them (C-18, C-19)."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.client_list import ERRORS, VALUES, Colour, parse_client_list


def test_C18_a_list_has_a_colour_and_a_domain():
    black, white = parse_client_list("black:Bad.Example.com."), parse_client_list("white:allow.example.org")
    assert (black.colour, black.zone) == (Colour.BLACK, "bad.example.com")
    assert (white.colour, white.zone) == (Colour.WHITE, "allow.example.org")
    assert str(black) == "black:bad.example.com"


def test_C19_values_networks_and_bits_may_count():
    entry = parse_client_list("black:bad.example.com=127.0.0.2,127.0.1.0/24,&12")
    counting = ["127.0.0.2", "127.0.1.9", "127.0.0.4", "127.9.9.8"]
    assert all(entry.selection.has(ipaddress.IPv4Address(value)) for value in counting)
    assert not any(entry.selection.has(ipaddress.IPv4Address(f"127.0.0.{last}")) for last in (1, 3, 16, 32))
    assert str(entry) == "black:bad.example.com=127.0.0.2,127.0.1.0/24,&12"


@given(st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_C19_every_value_counts_where_none_is_named(value):
    assert parse_client_list("black:bad.example.com").selection.has(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bad.example.com",
        "grey:bad.example.com",
        "black:",
        "black:bad",
        "black: bad.example.com",
        "black:bad..example.com",
        "black:bad_.example.com",
        "black:bad.example.com=",
        "black:bad.example.com=x",
        "black:bad.example.com=127.0.0.2,",
        "black:bad.example.com=127.0.0.2=127.0.0.4",
        "black:bad.example.com=192.0.2.1",
        "black:bad.example.com=0.0.0.0/0",
        "black:bad.example.com=127.0.0.1/24",
        "black:bad.example.com=127.255.255.254",
        "black:bad.example.com=&0",
        "black:bad.example.com=&16777216",
        f"black:{'a.' * 110}example",
    ],
)
def test_C19_mistakes_are_told(text):
    with pytest.raises(ValueError, match="expected"):
        parse_client_list(text)


def test_what_means_an_error_is_a_value_too():
    assert ERRORS.subnet_of(VALUES)
