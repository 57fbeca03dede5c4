"""Trace fields (A-44 to A-48, A-64, F-1, F-2)."""

import email
import email.policy
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.envelope import Client
from paperpath.mail.trace import (
    Stamp,
    delivered_to_field,
    format_date,
    received_field,
    return_path_field,
    submission_field,
    submitted_field,
)

ARRIVED = datetime(2026, 11, 22, 9, 5, 7, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
STAMP = Stamp("mx.here.example", "0ABC", ARRIVED)
ME = Mailbox("me", "here.example")


def test_A45_shape() -> None:
    client = Client("192.0.2.1", 25, "mail.else.example", "ESMTP")
    assert received_field(client, STAMP, ME) == (
        b"Received: from mail.else.example ([192.0.2.1])\r\n"
        b" by mx.here.example with ESMTP id 0ABC\r\n"
        b" for <me@here.example>;\r\n"
        b" Sun, 22 Nov 2026 09:05:07 -0330\r\n"
    )


def test_L2_a_user_of_this_host_is_named_by_login_and_uid() -> None:
    assert submitted_field(1000, "joe", STAMP) == (
        b"Received: by mx.here.example (Paperpath, from user joe, uid 1000)\r\n"
        b" id 0ABC;\r\n"
        b" Sun, 22 Nov 2026 09:05:07 -0330\r\n"
    )
    assert b"(Paperpath, from uid 1000)\r\n" in submitted_field(1000, "", STAMP)


@given(st.text(max_size=300))
def test_L2_a_login_name_ends_neither_comment_nor_field(login: str) -> None:
    field = submitted_field(1000, login, STAMP)
    assert field.count(b"(") == field.count(b")") == 1
    assert b"\\" not in field
    assert [line[:1] == b" " for line in field.split(b"\r\n")[:-1]] == [False, True, True]
    assert max(map(len, field.split(b"\r\n"))) < 998


def test_A45_ipv6_is_tagged() -> None:
    field = received_field(Client("2001:db8::1", 25, "[IPv6:2001:db8::1]", "SMTP"), STAMP, None)
    assert field.startswith(b"Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n")


def test_A47_no_for_clause_with_several_recipients() -> None:
    assert b"for " not in received_field(Client("192.0.2.1", 25, "x", "SMTP"), STAMP, None)


@given(
    st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=300),
    st.sampled_from(["SMTP", "UTF8SMTP"]),
)
def test_A48_no_hello_breaks_the_header(hello: str, protocol: str) -> None:
    field = received_field(Client("192.0.2.1", 25, hello, protocol), STAMP, None)
    parsed = email.message_from_bytes(field + b"\r\n", policy=email.policy.compat32)
    assert parsed.keys() == ["Received"]
    assert re.fullmatch(rb"[\x20-\x7e\r\n]*", field)
    first = field.split(b"\r\n")[0]
    assert first.count(b"(") == first.count(b")") == 1
    assert max(map(len, field.split(b"\r\n"))) <= 998


INTERNATIONAL = Stamp("xn--mx-xka.xn--bcher-kva.example", "0ABC", ARRIVED)
DOKIME = Mailbox("δοκιμή", "παράδειγμα.example")


def test_A64_u_labels_where_smtputf8_was_in_force() -> None:
    client = Client("192.0.2.1", 25, "XN--BCHER-KVA.Example", "UTF8SMTPS")
    assert (
        received_field(client, INTERNATIONAL, DOKIME)
        == (
            "Received: from bücher.example ([192.0.2.1])\r\n"
            " by müx.bücher.example with UTF8SMTPS id 0ABC\r\n"
            " for <δοκιμή@παράδειγμα.example>;\r\n"
            " Sun, 22 Nov 2026 09:05:07 -0330\r\n"
        ).encode()
    )
    ascii_recipient = Mailbox("me", "xn--hxajbheg2az3al.example")
    assert " for <me@παράδειγμα.example>;".encode() in received_field(client, INTERNATIONAL, ascii_recipient)


def test_A64_ascii_where_it_was_not() -> None:
    client = Client("192.0.2.1", 25, "xn--bcher-kva.example", "ESMTPS")
    assert received_field(client, INTERNATIONAL, Mailbox("me", "παράδειγμα.example")) == (
        b"Received: from xn--bcher-kva.example ([192.0.2.1])\r\n"
        b" by xn--mx-xka.xn--bcher-kva.example with ESMTPS id 0ABC\r\n"
        b" for <me@xn--hxajbheg2az3al.example>;\r\n"
        b" Sun, 22 Nov 2026 09:05:07 -0330\r\n"
    )


def test_A64_no_for_clause_for_a_local_part_that_has_no_form_in_ascii() -> None:
    field = received_field(Client("192.0.2.1", 25, "x.example", "ESMTP"), STAMP, DOKIME)
    assert b" for " not in field
    assert field.isascii()


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["ESMTP", "UTF8SMTP"]))
def test_A48_A64_no_recipient_breaks_the_header(local: str, domain: str, protocol: str) -> None:
    try:
        recipient = parse_mailbox(f"{local}@{domain}")
    except AddressError:
        try:
            recipient = parse_mailbox(f'"{local}"@bücher.example')
        except AddressError:
            return
    client = Client("192.0.2.1", 25, "x.example", protocol)
    fields = (
        received_field(client, STAMP, recipient),
        return_path_field(recipient),
        delivered_to_field(recipient),
    )
    assert fields[0].isascii() or protocol == "UTF8SMTP"
    for field in fields:
        assert email.message_from_bytes(field + b"\r\n").keys() == [field.split(b":")[0].decode()]
        text = field.decode()
        assert len(text.splitlines()) == text.count("\r\n") == 1 + text.count("\r\n ")


def test_A45_the_longest_address_stays_within_a_line() -> None:
    longest = parse_mailbox('"' + "é " * 85 + "\\" * 2 + '"@' + ".".join(["中" * 15] * 5) + ".example")
    twice = parse_mailbox('"' + '\\"' * 256 + '"@' + "b." * 127 + "c")
    for recipient in (longest, twice):
        field = received_field(Client("192.0.2.1", 25, "x" * 300, "UTF8SMTPSA"), STAMP, recipient)
        assert max(map(len, field.split(b"\r\n"))) <= 998


@given(st.datetimes(timezones=st.timezones()))
def test_A46_dates_parse_back(moment: datetime) -> None:
    offset = moment.utcoffset()
    assert offset is not None
    if offset.total_seconds() % 60 == 0 and moment.year >= 1900:
        fixed = moment.replace(microsecond=0, tzinfo=timezone(offset))
        assert parsedate_to_datetime(format_date(fixed)) == fixed


def test_a_date_without_offset_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="offset"):
        format_date(datetime(2026, 1, 1))  # noqa: DTZ001


def test_F1_F2_final_fields() -> None:
    assert return_path_field(None) == b"Return-Path: <>\r\n"
    assert return_path_field(Mailbox("a b", "x.example")) == b'Return-Path: <"a b"@x.example>\r\n'
    assert delivered_to_field(ME) == b"Delivered-To: me@here.example\r\n"


def test_F1_F2_final_fields_carry_utf8() -> None:
    assert return_path_field(DOKIME) == "Return-Path: <δοκιμή@παράδειγμα.example>\r\n".encode()
    assert delivered_to_field(DOKIME) == "Delivered-To: δοκιμή@παράδειγμα.example\r\n".encode()


OVER_TLS = Client("192.0.2.1", 25, "c.example", "ESMTPSA", "TLSv1.3 TLS_AES_128_GCM_SHA256")


def test_B28_on_submission_the_cipher_stands_behind_the_id() -> None:
    assert submission_field(OVER_TLS, STAMP).decode().split("\r\n")[:3] == [
        "Received: from c.example ([192.0.2.1])",
        f" by mx.here.example with ESMTPSA id {STAMP.queue_id}",
        " tls TLS_AES_128_GCM_SHA256;",
    ]
    in_clear = submission_field(replace(OVER_TLS, protocol="ESMTP", tls=""), STAMP).decode()
    assert in_clear.split("\r\n")[1] == f" by mx.here.example with ESMTP id {STAMP.queue_id};"


def test_who_is_hidden_is_in_no_trace_and_nobody_says_for_whom_it_is() -> None:
    hidden = submission_field(OVER_TLS, STAMP, hides_client=True)
    assert hidden.startswith(b"Received: by mx.here.example with ESMTPSA id ")
    assert b"192.0.2.1" not in hidden
    assert b"c.example" not in hidden
    assert b" for " not in submission_field(OVER_TLS, STAMP)


def test_A48_S6_nothing_that_a_client_says_of_itself_ends_the_field() -> None:
    field = submission_field(replace(OVER_TLS, hello="x\r\n\r\n(evil)\x00é"), STAMP)
    assert field.startswith(b"Received: from x????")
    assert field.isascii()
    assert field.count(b"\r\n") == 4


def test_a_user_on_the_local_socket_is_named_with_the_protocol() -> None:
    assert submitted_field(1000, "joe", STAMP, "ESMTP").decode().split("\r\n")[:2] == [
        "Received: by mx.here.example (Paperpath, from user joe, uid 1000)",
        f" with ESMTP id {STAMP.queue_id};",
    ]
