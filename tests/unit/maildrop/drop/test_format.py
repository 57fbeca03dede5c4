"""The form of a drop file: nothing in it can become something else, nothing can change unnoticed (D-9)."""

import hashlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from paperpath.mail.address import AddressError, Mailbox, format_mailbox, parse_mailbox
from paperpath.mail.envelope import Envelope, Recipient, SenderParameters
from paperpath.maildrop.drop.format import (
    HEAD_OCTETS,
    MOST_ENVELOPE_OCTETS,
    MOST_RECIPIENTS,
    ContentCheck,
    DropError,
    Head,
    format_envelope,
    format_head,
    parse_envelope,
    parse_head,
)
from paperpath.maildrop.drop.writer import drop_message
from tests.support.drop import CLIENT, CONTENT, ENVELOPE, make_folders, read_drop

AWKWARD = 'a.b@ "\\<>,;:()=+é字\u200d~\x00\r\n'


def is_mailbox(mailbox: Mailbox) -> bool:
    try:
        return parse_mailbox(format_mailbox(mailbox)) == mailbox
    except AddressError:
        return False


locals_ = st.text(st.sampled_from(AWKWARD) | st.characters(exclude_categories=["Cs"]), max_size=20)
domains = st.sampled_from(["here.example", "[192.0.2.1]", "bücher.example", "xn--bcher-kva.example"])
mailboxes = st.builds(Mailbox, locals_, domains).filter(is_mailbox)
orcpts = st.sampled_from(["", "rfc822;a+2Bb@c.example", "utf-8;é\\x{5C}@c.example"])
recipients = st.builds(Recipient, mailboxes, st.sampled_from(["", "NEVER", "DELAY,FAILURE"]), orcpts)
parameters = st.builds(
    SenderParameters,
    st.sampled_from(["", "7BIT", "8BITMIME"]),
    st.just(value=True),
    st.sampled_from(["", "FULL", "HDRS"]),
    st.sampled_from(["", "+2B=x,;".replace("=", "")]),
)
envelopes = st.builds(
    Envelope,
    st.none() | mailboxes,
    st.lists(recipients, min_size=1, max_size=5).map(tuple),
    st.just(CLIENT),
    parameters,
)


@given(envelopes)
def test_D9_whatever_is_in_an_envelope_it_reads_as_it_was_written(envelope: Envelope) -> None:
    assert parse_envelope(format_envelope(envelope), CLIENT) == envelope


@given(envelopes, st.data())
def test_D9_an_envelope_cut_short_is_none_or_has_fewer_recipients(
    envelope: Envelope, data: st.DataObject
) -> None:
    octets = format_envelope(envelope)
    cut = octets[: data.draw(st.integers(0, len(octets) - 1))]
    try:
        read = parse_envelope(cut, CLIENT)
    except DropError:
        return
    assert read.recipients == envelope.recipients[: len(read.recipients)]  # its digest tells


@given(st.binary(max_size=200))
def test_D9_any_octets_are_an_envelope_or_refused(octets: bytes) -> None:
    with suppress(DropError):
        assert format_envelope(parse_envelope(octets, CLIENT))


@pytest.mark.parametrize(
    ("envelope", "complaint"),
    [
        (Envelope(None, (), CLIENT), "no recipient"),
        (Envelope(None, (Recipient(Mailbox("a\nb", "c.example")),), CLIENT), "an address"),
        (Envelope(None, (Recipient(Mailbox("a\0b", "c.example")),), CLIENT), "an address"),
        (Envelope(None, (Recipient(Mailbox("|/bin/x", "")),), CLIENT), "no domain"),
        (Envelope(None, (Recipient(Mailbox("/var/mail/x", "")),), CLIENT), "no domain"),
        (Envelope(None, (Recipient(Mailbox("é", "c.example")),), CLIENT), "SMTPUTF8 is not set"),
        (Envelope(Mailbox("a", "bücher.example"), ENVELOPE.recipients, CLIENT), "SMTPUTF8 is not set"),
        (Envelope(Mailbox("\ud800", "c.example"), ENVELOPE.recipients, CLIENT), "UTF-8"),
        (
            Envelope(None, (Recipient(Mailbox("a", "c.example"), "NEVER ORCPT=x;y"),), CLIENT),
            "of a recipient",
        ),
        (Envelope(None, (Recipient(Mailbox("a", "c.example"), "never"),), CLIENT), "of a recipient"),
        (Envelope(None, (Recipient(Mailbox("a", "c.example"), "", "x"),), CLIENT), "of a recipient"),
        (Envelope(None, ENVELOPE.recipients, CLIENT, SenderParameters("BINARYMIME")), "of a sender"),
        (Envelope(None, ENVELOPE.recipients, CLIENT, SenderParameters(ret="full")), "of a sender"),
        (Envelope(None, ENVELOPE.recipients, CLIENT, SenderParameters(envid="a\rb")), "of a sender"),
        (Envelope(None, ENVELOPE.recipients * (MOST_RECIPIENTS + 1), CLIENT), "10000 recipients"),
    ],
)
def test_D9_L4_what_no_import_would_take_cannot_be_written(envelope: Envelope, complaint: str) -> None:
    with pytest.raises(DropError, match=complaint):
        format_envelope(envelope)


def test_as_many_recipients_as_are_allowed_are_taken() -> None:
    envelope = Envelope(None, ENVELOPE.recipients * MOST_RECIPIENTS, CLIENT)
    assert parse_envelope(format_envelope(envelope), CLIENT) == envelope
    with pytest.raises(DropError, match="octets"):
        parse_envelope(bytes(MOST_ENVELOPE_OCTETS + 1), CLIENT)


def test_D9_a_head_of_another_version_is_refused_by_name() -> None:
    octets = format_head(Head(1, 2, bytes(32), bytes(32)))
    assert parse_head(octets) == Head(1, 2, bytes(32), bytes(32))
    with pytest.raises(DropError, match="of version 2; this Paperpath reads version 1"):
        parse_head(octets[:8] + b"\0\2" + octets[10:])
    with pytest.raises(DropError, match="envelope has more than"):
        parse_head(format_head(Head(MOST_ENVELOPE_OCTETS + 1, 2, bytes(32), bytes(32))))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    drop, _ = make_folders(tmp_path)
    return drop / drop_message(drop, ENVELOPE, [CONTENT])


def test_D9_a_file_cut_short_anywhere_is_refused(written: Path) -> None:
    octets = written.read_bytes()
    for end in range(len(octets)):
        written.write_bytes(octets[:end])
        with pytest.raises(DropError):
            read_drop(written.parent, written.name)


def test_D9_a_bit_flipped_anywhere_is_noticed(written: Path) -> None:
    octets = written.read_bytes()
    assert len(octets) > HEAD_OCTETS + len(CONTENT)
    with written.open("r+b", buffering=0) as file:
        for bit in range(len(octets) * 8):
            file.seek(bit // 8)
            file.write(bytes([octets[bit // 8] ^ (1 << bit % 8)]))
            with pytest.raises(DropError):
                read_drop(written.parent, written.name)
            file.seek(bit // 8)
            file.write(octets[bit // 8 : bit // 8 + 1])
    assert read_drop(written.parent, written.name) == (ENVELOPE, CONTENT)


def test_D9_octets_behind_the_content_are_noticed(written: Path) -> None:
    with written.open("ab") as file:
        file.write(b"\r\n")
    with pytest.raises(DropError, match="not as long as it says"):
        read_drop(written.parent, written.name)


lines = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"a", b".\r\n", b"\r\r\n"]), max_size=8).map(
    b"".join
)


@given(lines, st.integers(1, 5))
@example(b"a\r\n", 2)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_bare_newlines_are_refused_however_the_content_is_cut(octets: bytes, width: int) -> None:
    check = ContentCheck(len(octets))
    rest = octets.replace(b"\r\n", b"")
    clean = b"\r" not in rest and b"\n" not in rest and (not octets or octets.endswith(b"\r\n"))
    try:
        for at in range(0, len(octets), width):
            check.add(octets[at : at + width])
        digest = check.finish()
    except DropError:
        assert not clean
    else:
        assert clean
        assert digest == hashlib.sha256(octets).digest()


def test_content_beyond_the_limit_is_refused() -> None:
    with pytest.raises(DropError, match="more than 3 octets"):
        ContentCheck(3).add(b"ab\r\n")
