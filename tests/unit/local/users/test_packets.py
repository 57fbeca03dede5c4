"""What smtpld and its helper say to each other: whatever comes, nothing unsafe is believed (F-4, P6)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.accounts.users import is_login_name
from paperpath.local.users.packets import (
    MOST_OCTETS,
    MOST_WORDS,
    Answer,
    Request,
    format_answer,
    format_request,
    is_piece,
    parse_answer,
    parse_request,
    read_piece,
    split_content,
)
from paperpath.mail.address import MOST_LOCAL_OCTETS, Mailbox
from paperpath.mail.reply import make_reply

NAME = "1700000000.M1R2.mx.here.example"
WORDS = st.dictionaries(
    st.sampled_from(["user", "name", "tried", "sender", "arrived_us", "reply", "uncertain", "stuck"]),
    st.one_of(
        st.text(), st.booleans(), st.integers(), st.none(), st.sampled_from(["joe", NAME, "250 2.0.0 x"])
    ),
)


@pytest.mark.parametrize("sender", [None, Mailbox("ann", "else.example"), Mailbox("a b", "bücher.example")])
@pytest.mark.parametrize("tried", [False, True])
def test_a_request_is_read_as_it_was_written(sender: Mailbox | None, tried: bool) -> None:
    request = Request("joe", NAME, tried, sender, 1_700_000_000_000_123)
    assert parse_request(format_request(request)) == request


def test_P6_the_longest_request_has_room() -> None:
    for local in ('"' * MOST_LOCAL_OCTETS, "\u00fc" * (MOST_LOCAL_OCTETS // 2)):
        sender = Mailbox(local, ".".join(["\u00fc" * 50] * 4))
        request = Request("j" * 64, "1." + "x" * 200, True, sender, 2**55)
        assert parse_request(format_request(request)) is not None


@given(st.one_of(st.binary(), WORDS.map(json.dumps).map(str.encode)))
def test_F4_P6_whatever_comes_is_no_request_or_a_safe_one(octets: bytes) -> None:
    request = parse_request(octets)
    if request is not None:
        assert is_login_name(request.user)
        assert not {"/", "\0"} & set(request.name)
        assert request.name[0].isdigit()
    answer = parse_answer(octets)
    assert answer is None or isinstance(answer.reply.code, int)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "1./x", "1.", "x", "1.x/../y", "1.\0", "1." + "x" * 201, "1.x\n"]
)
def test_F4_a_name_that_leads_elsewhere_is_none(name: str) -> None:
    assert parse_request(format_request(Request("joe", name, False, None, 0))) is None


@pytest.mark.parametrize("octets", [b"[" * 5000, b"1", b"null", b"{}", b"x" * (MOST_WORDS + 1), b"\xff"])
def test_nonsense_is_neither(octets: bytes) -> None:
    assert parse_request(octets) is None
    assert parse_answer(octets) is None


@given(st.booleans(), st.booleans(), st.text())
def test_S6_an_answer_is_read_as_it_was_written(uncertain: bool, stuck: bool, text: str) -> None:
    answer = Answer(make_reply(451, "4.2.0", text[:100]), uncertain, stuck)
    found = parse_answer(format_answer(answer))
    assert found is not None
    assert (found.uncertain, found.is_stuck, found.reply.code) == (uncertain, stuck, 451)
    assert found.reply.octets.count(b"\r\n") == 1


@given(st.lists(st.binary(max_size=10)), st.integers(0, 3 * MOST_OCTETS))
def test_pieces_are_the_content_and_none_is_too_long(chunks: list[bytes], zeros: int) -> None:
    content = [*chunks, b"0" * zeros]
    packets = list(split_content(content))
    assert all(is_piece(packet) and len(packet) <= MOST_OCTETS + 1 for packet in packets)
    assert b"".join(map(read_piece, packets)) == b"".join(content)
