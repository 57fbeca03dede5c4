"""Messages signed: what is signed, by whom, and that it verifies (I-1 to I-4, I-6)."""

import re
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from paperpath.dkim.keyring import Keyring, Signer
from paperpath.dkim.keys import KeyRefusedError, cut_strings, load_key, make_ed25519_key, make_rsa_key
from paperpath.dkim.signing import MOST_HEADER_OCTETS, MessageSigning
from tests.support.dkim import SHORT_KEY, find_signatures, verify

RSA = load_key(make_rsa_key().encode())
ED25519 = load_key(make_ed25519_key().encode())
KEYRING = Keyring([Signer("here.example", "r", RSA), Signer("here.example", "e", ED25519)])
RECORDS = {"r._domainkey.here.example": RSA.record, "e._domainkey.here.example": ED25519.record}
HEADER = (
    b"Received: by mx.here.example id 1; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    b"From: Joe <joe@HERE.example>\r\nTo: u@there.example\r\nSubject: a\r\n  b \r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@here.example>\r\nX-Other: y\r\n"
)
MESSAGE = HEADER + b"\r\nHello \t there\r\n.\r\n\r\n\r\n"
TIME_S = 1_795_428_000


def _sign(*chunks: bytes, keyring: Keyring = KEYRING) -> bytes:
    signing = MessageSigning(keyring, TIME_S)
    for chunk in chunks:
        signing.add(chunk)
    return signing.finish() + b"".join(chunks)


def test_I1_signatures_of_both_algorithms_verify() -> None:
    signed = _sign(MESSAGE)
    assert signed.endswith(MESSAGE)
    assert [tags["a"] for tags in find_signatures(signed)] == ["rsa-sha256", "ed25519-sha256"]
    assert verify(signed, RECORDS) == [True, True]


@pytest.mark.parametrize(
    "message", [HEADER, HEADER.removesuffix(b"\r\n"), HEADER + b"\r\n", HEADER + b"\r\na"]
)
def test_I1_messages_without_much_of_a_body_verify(message: bytes) -> None:
    assert verify(_sign(message), RECORDS) == [True, True]


@given(st.lists(st.integers(0, len(MESSAGE))))
def test_I1_messages_may_be_cut_anywhere(cuts: list[int]) -> None:
    chunks = [MESSAGE[begin:end] for begin, end in pairwise([0, *sorted(cuts), len(MESSAGE)])]
    assert _sign(*chunks) == _sign(MESSAGE)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"Comments", b"To", b"reply-to", b"X"]), st.sampled_from([b"", b" a\t \r\n  b"])
        )
    ),
    st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n"])).map(b"".join),
)
def test_I1_any_message_verifies(more: list[tuple[bytes, bytes]], body: bytes) -> None:
    message = b"".join(name + b":" + value + b"\r\n" for name, value in more) + HEADER + b"\r\n" + body
    assert verify(_sign(message), RECORDS) == [True, True]


@pytest.mark.parametrize(
    ("old", "new"), [(b"Hello", b"hello"), (b"Subject: a", b"Subject: c"), (b"there\r\n", b"there\r\n\r\n")]
)
def test_I1_what_is_changed_later_verifies_no_more(old: bytes, new: bytes) -> None:
    assert verify(_sign(MESSAGE).replace(old, new), RECORDS) == [False, False]


def test_I1_blanks_and_trace_fields_that_relays_touch_break_nothing() -> None:
    signed = b"Received: by next.example\r\n" + _sign(MESSAGE)
    signed = signed.replace(b"Subject: a\r\n  b \r\n", b"Subject: a b\r\n").replace(b"Hello \t", b"Hello ")
    assert verify(signed.replace(b"id 1;", b"id 2;"), RECORDS) == [True, True]


def test_I2_keys_that_are_too_short_or_of_no_use_are_refused() -> None:
    shortest = rsa.generate_private_key(65537, 1024)
    pem = shortest.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert load_key(pem).algorithm == "rsa-sha256"
    with pytest.raises(KeyRefusedError, match="has 512 bits; fewer than 1024"):
        load_key(SHORT_KEY)
    curve = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(KeyRefusedError, match="RSA or Ed25519"):
        load_key(curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    for octets in (b"", b"nothing"):
        with pytest.raises(KeyRefusedError, match="PEM"):
            load_key(octets)
    locked = shortest.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(KeyRefusedError, match="passphrase"):
        load_key(locked)


@pytest.mark.parametrize("name", [b"From", b"To", b"Subject", b"Date", b"Reply-To"])
@pytest.mark.parametrize("is_above", [True, False])
def test_I3_another_field_of_these_names_breaks_the_signature(name: bytes, is_above: bool) -> None:
    added = name + b": evil@there.example\r\n"
    signed = _sign(MESSAGE)
    broken = added + signed if is_above else signed.replace(b"\r\n\r\n", b"\r\n" + added + b"\r\n", 1)
    assert verify(broken, RECORDS) == [False, False]


def test_I3_tags() -> None:
    for tags in find_signatures(_sign(MESSAGE)):
        names = tags["h"].split(":")
        assert list(tags) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"]
        assert (tags["v"], tags["d"], tags["t"]) == ("1", "here.example", str(TIME_S))
        assert names.count("from") == 2
        assert names.count("reply-to") == 1
        assert "message-id" in names
        assert not {"dkim-signature", "received", "return-path", "x-other"} & set(names)


def test_I3_lines_are_short() -> None:
    signed = _sign(b"Comments: x\r\n" * 500 + MESSAGE)
    assert max(map(len, signed.split(b"\r\n"))) <= 78
    assert verify(signed, RECORDS) == [True, True]


def test_I4_of_repeated_fields_the_lowest_is_signed_first() -> None:
    signed = _sign(b"Comments: 1\r\nComments: 2\r\n" + MESSAGE)
    assert find_signatures(signed)[0]["h"].split(":").count("comments") == 2
    assert verify(signed, RECORDS) == [True, True]
    assert verify(b"Comments: 0\r\n" + signed, RECORDS) == [True, True]
    swapped = (
        signed.replace(b"ents: 1", b"ents: ?").replace(b"ents: 2", b"ents: 1").replace(b"ents: ?", b"ents: 2")
    )
    assert verify(swapped, RECORDS) == [False, False]


@pytest.mark.parametrize(
    ("author", "domains"),
    [
        (b"joe@here.example", ["here.example"]),
        (b"joe@sub.HERE.example", []),
        (b"joe@wide.example", ["wide.example"]),
        (b"joe@a.b.wide.example", ["wide.example"]),
        (b"joe@own.wide.example", ["own.wide.example"]),
        (b"joe@x.own.wide.example", ["wide.example"]),
        (b"joe@example", []),
        (b"joe@notwide.example", []),
        (b"joe@b\xc3\xbccher.example", ["xn--bcher-kva.example"]),
        (b"joe@xn--bcher-kva.example", ["xn--bcher-kva.example"]),
        (b"Joe <joe@here.example>, jim@wide.example", ["here.example"]),
        (b"joe@here.example\r\nFrom: jim@here.example", []),
        (b"joe@", []),
        (b"joe@[192.0.2.1]", []),
        (b"\xff@here.example", []),
        (b"", []),
    ],
)
def test_I6_the_author_decides_who_signs(author: bytes, domains: list[str]) -> None:
    keyring = Keyring(
        [
            Signer("here.example", "s", ED25519),
            Signer("wide.example", "s", ED25519, has_subdomains=True),
            Signer("own.wide.example", "s", ED25519),
            Signer("xn--bcher-kva.example", "s", ED25519),
        ]
    )
    message = b"From: " + author + b"\r\n\r\nhello\r\n"
    signed = _sign(message, keyring=keyring)
    assert [tags["d"] for tags in find_signatures(signed)] == domains
    assert domains or signed == message


def test_I6_without_a_signer_nothing_is_added_and_nothing_hashed() -> None:
    signing = MessageSigning(KEYRING, TIME_S)
    signing.add(b"From: joe@there.example\r\n\r\n")
    assert signing.is_done
    signing.add(b"body")
    assert signing.finish() == b""
    assert _sign(b"\r\nFrom: joe@here.example\r\n\r\n") == b"\r\nFrom: joe@here.example\r\n\r\n"
    long = b"X: y\r\n" * (MOST_HEADER_OCTETS // 6 + 1) + MESSAGE
    assert _sign(long[:3_000_000], long[3_000_000:]) == long


def test_S11_no_header_takes_more_than_linear_time() -> None:
    # Were one step needed for each pair of fields or lines, this would run for minutes.
    keyring = Keyring([Signer("here.example", "e", ED25519)])
    for piece in (b"Comments:\r\n", b"X:\r\n \r\n", b":", b"Subject: a\r\n\t" + b" " * 500):
        message = piece * (1_000_000 // len(piece)) + b"\r\n" + MESSAGE
        chunks = [message[begin : begin + 1000] for begin in range(0, len(message), 1000)]
        assert _sign(*chunks, keyring=keyring).endswith(message)


def test_records_fit_into_strings_of_txt_records() -> None:
    strings = cut_strings(RSA.record)
    assert "".join(strings) == RSA.record
    assert max(map(len, strings)) == 255
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", ED25519.record)
