"""The server core: what dialogue files cannot say (limits, order, memory)."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.smtp import events, replies
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from paperpath.smtp.states import State
from tests.support.core import SETTINGS, converse, cuts
from tests.unit.smtp.test_data import HARMLESS, SMUGGLING

OPENING = b"EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\n"
ORDER = re.compile(rb"(?:\d\d\d-[^\r\n]*\r\n)*\d\d\d [^\r\n]*\r\n")


def test_A3_one_reply_per_command_in_one_write() -> None:
    heard = converse([b"NOOP\r\n" * 200])
    assert heard.codes == [220] + [250] * 200


@pytest.mark.parametrize(("dsn", "codes"), [(False, [555, 250, 555]), (True, [250, 503, 250])])
def test_S5_who_is_offered_no_reports_cannot_ask_for_them(dsn: bool, codes: list[int]) -> None:
    asking = (
        b"MAIL FROM:<a@b.example> RET=FULL",
        b"MAIL FROM:<a@b.example>",
        b"RCPT TO:<u@here.example> NOTIFY=SUCCESS",
    )
    lines = b"".join(line + b"\r\n" for line in (b"EHLO c.example", *asking))
    heard = converse([lines], replace(SETTINGS, dsn=dsn))
    assert (b"DSN" in heard.output, heard.codes[2:]) == (dsn, codes)


def test_A31_an_overlong_line_gets_one_500_and_the_session_stays_in_step() -> None:
    for size in (100, 4096, 100_000):
        heard = converse([b"A" * 100_000 + b"\r\nNOOP\r\n"[:0], b"", b"\r\nNOOP\r\n"])
        assert heard.codes == [220, 500, 250]
        line = b"A" * 100_000 + b"\r\nNOOP\r\n"
        assert converse([line[i : i + size] for i in range(0, len(line), size)]).codes == [220, 500, 250]


def test_A30_a_line_at_the_limit_is_taken() -> None:
    assert converse([b"NOOP " + b"x" * (4096 - 7) + b"\r\n"]).codes == [220, 250]
    assert converse([b"NOOP " + b"x" * (4096 - 6) + b"\r\n"]).codes == [220, 500]


def test_P6_memory_stays_bounded_while_a_line_does_not_end() -> None:
    core = ServerConnection(SETTINGS)
    for _ in range(1000):
        core.receive(b"A" * 10_000)
        assert core.next_event() is None
        assert core.pending_octets <= SETTINGS.line_octets + 10_000


def test_A31_a_long_text_line_arrives_unchanged() -> None:
    line = b"x" * 90_000 + b"\r\n"
    assert converse([OPENING, line + b".\r\n"]).messages[0][2] == line


def test_A32_excess_recipients_get_452_and_the_others_are_kept() -> None:
    rcpt = b"".join(b"RCPT TO:<u%d@backup.example>\r\n" % number for number in range(150))
    heard = converse([b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n" + rcpt + b"DATA\r\nx\r\n.\r\n"])
    assert heard.codes == [220, 250, 250, *[250] * 100, *[452] * 50, 354, 250]
    assert len(heard.messages[0][1]) == 100


def test_A56_a_message_too_big_is_read_to_its_end() -> None:
    body = b"0123456789abcde\n".replace(b"\n", b"\r\n") * 10_000
    for segments in (
        [OPENING + body + b".\r\nNOOP\r\n"],
        [OPENING, body[:50_000], body[50_000:], b".\r\nNOOP\r\n"],
    ):
        heard = converse(segments)
        assert heard.codes == [220, 250, 250, 250, 354, 552, 250]
        assert heard.messages == []


def test_A36_A38_a_bare_newline_gets_one_550_at_the_true_end() -> None:
    wire = OPENING + b"a\n.\r\nMAIL FROM:<evil@x.example>\r\n.\r\nNOOP\r\n"
    for segments in cuts(wire):
        heard = converse(segments)
        assert heard.codes == [220, 250, 250, 250, 354, 550, 250]
        assert heard.messages == []


@pytest.mark.parametrize("sequence", SMUGGLING)
def test_A35_A36_M1_nothing_smuggles_a_second_message_at_any_cut(sequence: bytes) -> None:
    second = b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<u@here.example>\r\nDATA\r\nevil\r\n.\r\n"
    clean = sequence in HARMLESS
    for segments in cuts(OPENING + b"text" + sequence + second + b"NOOP\r\n"):
        heard = converse(segments)
        assert heard.codes == [220, 250, 250, 250, 354, 250 if clean else 550, 250]
        assert [sender for sender, _, _ in heard.messages] == (["a@b.example"] if clean else [])


def test_A14_after_too_many_errors_the_session_is_closed() -> None:
    heard = converse([b"FOO\r\n" * 25 + b"NOOP\r\n"])
    assert heard.codes == [220] + [500] * 21 + [421]


def test_a_reply_is_only_taken_when_one_is_due() -> None:
    with pytest.raises(RuntimeError):
        ServerConnection(SETTINGS).reply(replies.R250_DONE)


def test_a_message_refused_at_its_end_leaves_the_session_ready() -> None:
    core = ServerConnection(SETTINGS)
    core.receive(OPENING.replace(b"DATA\r\n", b""))
    while core.next_event() is not None:
        if core.awaits_reply:
            core.reply(replies.R250_DONE)
    core.receive(b"DATA\r\nx\r\n.\r\nMAIL FROM:<>\r\n")
    while (event := core.next_event()) is not None:
        if core.awaits_reply:
            core.reply(replies.R451_NOT_STORED if hasattr(event, "octets") else replies.R250_SENDER)
    assert [line[:3] for line in core.octets_to_send().splitlines()][-3:] == [b"354", b"451", b"250"]


TOKENS = [
    b"EHLO c\r\n", b"HELO c\r\n", b"MAIL FROM:<a@b.example>\r\n", b"MAIL FROM:<>",
    b"RCPT TO:<u@here.example>\r\n", b"RCPT TO:<u@else.example>\r\n", b"DATA\r\n",
    b".\r\n", b"\r\n.\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n",
    b"\r", b"\n", b"\x00", b"\xff", b"A" * 5000, b" SIZE=", b"VRFY x\r\n", b"text\r\n",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=8)), max_size=25))
def test_P6_any_octets_give_whole_replies_and_the_same_at_any_cut(parts: list[bytes]) -> None:
    wire = b"".join(parts)
    without_tls = replace(SETTINGS, tls=False)  # for what comes in one segment with STARTTLS is discarded
    whole = converse([wire], without_tls)
    assert ORDER.sub(b"", whole.output) == b""
    single = converse([wire[place : place + 1] for place in range(len(wire))], without_tls)
    assert (single.output, single.messages) == (whole.output, whole.messages)


def test_A62_settings_are_announced() -> None:
    heard = converse([b"EHLO c\r\n"], Settings("mx", 1000, 100))
    assert b"250-SIZE 1000\r\n" in heard.output


def test_A92_the_limit_that_is_announced_is_the_one_that_holds_in_the_clear_and_inside_tls() -> None:
    limited = Settings("mx", 100_000, 100, tls=True)
    opening = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n"
    rcpt = b"".join(b"RCPT TO:<u%d@backup.example>\r\n" % number for number in range(101))
    for before in ([], [b"STARTTLS\r\n"]):
        heard = converse([*before, opening, rcpt], limited)
        assert b"250-LIMITS RCPTMAX=100\r\n" in heard.output
        assert heard.codes[-101:] == [250] * 100 + [452]


def test_A71_A73_tls_begins_anew_and_only_once() -> None:
    encrypted = [b"EHLO c\r\nMAIL FROM:<a@b.example>\r\n", b"STARTTLS\r\n", b"RCPT TO:<u@here.example>\r\n"]
    heard = converse([*encrypted, b"EHLO c\r\n", b"STARTTLS\r\n"])
    assert heard.codes == [220, 250, 250, 220, 503, 250, 503]
    assert b"STARTTLS" not in heard.replies[5]


def test_A70_without_a_certificate_tls_is_neither_offered_nor_taken() -> None:
    heard = converse([b"EHLO c\r\n", b"STARTTLS\r\n"], Settings("mx", 1000, 100))
    assert b"STARTTLS" not in heard.output
    assert heard.codes == [220, 250, 502]


def test_A72_octets_behind_starttls_end_the_session() -> None:
    heard = converse([b"EHLO c\r\nSTARTTLS\r\nNOOP\r\n"])
    assert heard.codes == [220, 250, 421]


def test_A74_where_tls_is_required_nothing_of_use_is_done_before_it() -> None:
    strict = Settings("mx", 1000, 100, tls=True, tls_required=True)
    lines = [
        b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nBDAT 1 LAST\r\n.",
        b"VRFY x\r\nNOOP\r\nRSET\r\nHELO c\r\n",
    ]
    heard = converse([*lines, b"STARTTLS\r\n", b"EHLO c\r\nMAIL FROM:<>\r\nQUIT\r\n"], strict)
    assert heard.codes == [220, 250, 530, 530, 530, 250, 250, 250, 220, 250, 250, 221]


def test_A73_on_a_port_that_speaks_tls_from_the_start_it_is_not_offered() -> None:
    core = ServerConnection(Settings("mx", 1000, 100, tls=True), encrypted=True)
    core.receive(b"EHLO c\r\nSTARTTLS\r\n")
    assert core.next_event() is not None
    assert core.next_event() is not None
    output = core.octets_to_send()
    assert b"250-STARTTLS" not in output
    assert b"503 5.5.1" in output


def test_S2_a_flood_of_crumbs_ends_the_session() -> None:
    opening = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n"
    heard = converse([opening + b"BDAT 1\r\nx" * 1001])
    assert heard.codes == [220, 250, 250, 250] + [250] * 1000 + [421]
    heard = converse([opening + (b"BDAT 80\r\n" + b"x" * 80) * 1200])
    assert heard.codes == [220, 250, 250, 250] + [250] * 1200


def test_A56_A88_a_message_too_big_in_chunks_is_read_to_the_end_of_the_chunk() -> None:
    opening = b"EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<u@here.example>\r\n"
    wire = opening + b"BDAT 600\r\n" + b"x" * 600 + b"BDAT 600\r\n" + b"QUIT\r\n" * 100 + b"NOOP\r\n"
    for segments in ([wire], [wire[place : place + 1] for place in range(len(wire))]):
        assert converse(segments, Settings("mx", 1000, 100)).codes == [220, 250, 250, 250, 250, 552, 250]


def drive(core: ServerConnection, wire: bytes) -> list[events.Event]:
    """Feed a core; take everything but STARTTLS, which cannot be carried out just now."""
    core.receive(wire)
    heard = []
    while (event := core.next_event()) is not None:
        heard.append(event)
        if core.awaits_reply:
            tls = isinstance(event, events.TLSRequested)
            core.reply(replies.R454_NO_TLS if tls else replies.R250_DONE)
    return heard


def codes_of(core: ServerConnection) -> list[int]:
    return [int(line[:3]) for line in core.octets_to_send().splitlines() if line[3:4] == b" "]


def test_A70_where_tls_is_not_available_the_chunks_that_came_stay() -> None:
    core = ServerConnection(SETTINGS)
    drive(core, OPENING.replace(b"DATA", b"BDAT 3") + b"abcSTARTTLS\r\n")
    assert core.state is State.CHUNKS
    assert isinstance(drive(core, b"BDAT 2 LAST\r\nde")[-1], events.ContentEnded)
    assert codes_of(core)[-3:] == [250, 454, 250]


def in_handshake() -> ServerConnection:
    core = ServerConnection(SETTINGS)
    core.receive(b"EHLO c\r\nSTARTTLS\r\n")
    while not core.awaits_reply:
        core.next_event()
    core.reply(replies.R220_START_TLS)
    core.octets_to_send()
    return core


@pytest.mark.parametrize("looked", [True, False])
def test_A72_P6_what_reaches_the_core_during_the_handshake_is_dropped(looked: bool) -> None:
    core = in_handshake()
    core.receive(b"NOOP\r\nEHLO evil.example\r\nMAIL")
    if looked:
        assert core.next_event() is None
        assert core.pending_octets == 0
    core.tls_started()
    assert drive(core, b"NOOP\r\n") == []
    assert codes_of(core) == [250]


def test_P6_nothing_is_held_that_comes_behind_the_end() -> None:
    core = ServerConnection(SETTINGS)
    drive(core, b"QUIT\r\n")
    for _ in range(10):
        assert drive(core, b"x" * 10_000) == []
        assert core.pending_octets == 0


def test_P6_what_was_dealt_with_is_not_held_on_to() -> None:
    core = ServerConnection(SETTINGS)
    drive(core, b"NOOP\r\n" * 10_000 + b"NO")
    assert len(core._input) == 2


def test_A88_A74_a_chunk_refused_for_want_of_tls_is_no_command() -> None:
    strict = replace(SETTINGS, tls_required=True)
    for segments in cuts(b"BDAT 6\r\nNOOP\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"):
        assert converse(segments, strict).codes == [220, 530, 530, 250]


@pytest.mark.parametrize(
    "line",
    [
        b"BDAT\t6",
        b"BDAT 6\n",
        b" bdat\r 6",
        b"BDAT",
        b"BDAT 6" + b" " * 5000,
        b"\tBDAT \xff",
        b" " * 4990 + b"BDAT 6",
    ],
)
def test_A91_behind_a_chunk_that_cannot_be_read_nothing_is_a_command(line: bytes) -> None:
    wire = OPENING.replace(b"DATA\r\n", b"") + line + b"\r\nNOOP\r\n"
    for cut in (1, 7, 4000, 4992, len(wire)):
        segments = [wire[start : start + cut] for start in range(0, len(wire), cut)]
        assert converse(segments).codes == [220, 250, 250, 250, 501]


def test_A91_a_verb_that_only_begins_like_a_chunk_is_unknown() -> None:
    assert converse([b"BDATA 6\r\nNOOP\r\n"]).codes == [220, 500, 250]


@pytest.mark.parametrize("cut", [1, 4000, 4097, 5000, 10_000])
def test_P9_of_an_overlong_line_verb_and_length_are_told_and_nothing_else(cut: int) -> None:
    core = ServerConnection(SETTINGS)
    line = b"VRFY " + b"secret " * 1000
    wire = line + b"\r\n"
    heard = [event for at in range(0, len(wire), cut) for event in drive(core, wire[at : at + cut])]
    assert heard == [events.CommandRefused("VRFY", len(line), replies.R500_LINE_TOO_LONG)]


@pytest.mark.parametrize(
    ("line", "verb", "argument"),
    [
        (b"RCPT TO:<u@here.example>", "RCPT", "TO:<u@here.example>"),
        (b"  rcpt  TO:<u>\t ", "rcpt", "TO:<u>"),
        (b"VRFY", "VRFY", ""),
        (b"VRFY \xff\x1b[m", "VRFY", "\\xff\x1b[m"),
        (b"MAIL FROM:<" + b"x" * 2000, "MAIL", "FROM:<" + "x" * 994),
        (b"AUTH PLAIN c2VjcmV0", "AUTH", ""),
        (b"AUTH\tPLAIN\tc2VjcmV0", "AUTH", ""),
        (b"auth secret", "auth", ""),
        (b"NOOP\nAUTH PLAIN secret", "NOOP", ""),
        (b"c2VjcmV0c2VjcmV0c2VjcmV0 secret", "c2VjcmV0c2VjcmV0", ""),
        (b"", "", ""),
        (b"\xff\xfe secret", "\ufffd\ufffd", ""),
    ],
)
def test_P9_L5_of_an_unknown_verb_nothing_is_told_that_may_be_a_secret(
    line: bytes, verb: str, argument: str
) -> None:
    (refusal,) = [
        event
        for event in drive(ServerConnection(SETTINGS), line + b"\r\n")
        if isinstance(event, events.CommandRefused)
    ]
    assert (refusal.verb, refusal.argument, refusal.length) == (verb, argument, len(line))


@pytest.mark.parametrize("octet", [b"\x0b", b"\x0c", b"\x00", b"\x1c", b"\x7f"])
def test_A33_no_control_octet_separates_parameters(octet: bytes) -> None:
    for line in (b"MAIL FROM:<a@b.example> SIZE=1%bBODY=7BIT", b"MAIL FROM:<a@b.example> %bSIZE=1"):
        assert converse([b"EHLO c\r\n" + line % octet + b"\r\n"]).codes == [220, 250, 501]
    rcpt = b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<u@here.example> %b\r\n"
    assert converse([rcpt % octet]).codes == [220, 250, 250, 501]


def test_A4_tabs_and_spaces_separate_parameters() -> None:
    assert converse([b"EHLO c\r\nMAIL FROM:<a@b.example> \t SIZE=1\t BODY=7BIT\r\n"]).codes == [220, 250, 250]


@pytest.mark.parametrize(
    "line",
    ["MAIL FROM:<a@b.example> SMTPUTF8 RET=HDRſ", "MAIL FROM:<a@b.example> SMTPUTF8 BODY=8BıTMIME"],
)
def test_A60_A66_letters_that_only_look_like_ascii_in_upper_case_are_refused(line: str) -> None:
    reporting = replace(SETTINGS, dsn=True)
    assert converse([b"EHLO c\r\n" + line.encode() + b"\r\n"], reporting).codes == [220, 250, 501]
    wire = "EHLO c\r\nMAIL FROM:<> SMTPUTF8\r\nRCPT TO:<u@here.example> NOTIFY=ſUCCESS\r\n".encode()
    assert converse([wire], reporting).codes == [220, 250, 250, 501]
