"""AUTH in the server core: what dialogue files cannot say (lengths, secrets, misuse, what survives what)."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Recipient
from paperpath.mail.reply import Reply, make_reply
from paperpath.smtp import events, replies
from paperpath.smtp.sasl import MECHANISMS
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from paperpath.smtp.states import State
from tests.support.core import (
    CLIENT_NONCE,
    KEYS,
    SERVER_NONCE,
    SETTINGS,
    SUBMISSION,
    converse,
    cuts,
    judge_login,
)

EHLO = b"EHLO c.example\r\n"
MAIL = b"MAIL FROM:<tim@here.example>\r\n"
LOCAL = replace(SUBMISSION, auth_in_clear=True)
SECRET = "0penSesame!"


def encode(text: str) -> bytes:
    return base64.b64encode(text.encode())


PLAIN = b"AUTH PLAIN " + encode("\0tim\0tanstaaftanstaaf") + b"\r\n"
WRONG = b"AUTH PLAIN " + encode("\0tim\0wrong") + b"\r\n"
FIRST = encode(f"n,,n=user,r={CLIENT_NONCE}")
PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
FINAL = encode(f"c=biws,r={CLIENT_NONCE}{SERVER_NONCE},p={PROOF}")
SCRAM = b"AUTH SCRAM-SHA-256 " + FIRST + b"\r\n" + FINAL + b"\r\n\r\n"
FORGED = b"AUTH SCRAM-SHA-256 " + FIRST + b"\r\n" + encode("c=biws,r=x,p=eA==") + b"\r\n"


class Watcher:
    """Keeps what the observer is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def see_command(self, verb: str) -> None:
        self.shown.append(verb)

    def see_reply(self, reply: Reply) -> None:
        self.shown.append(str(reply))


def drive(core: ServerConnection, wire: bytes) -> list[events.Event]:
    """Feed a core; let in who knows a password, take everything else."""
    core.receive(wire)
    heard = []
    while (event := core.next_event()) is not None:
        heard.append(event)
        match event:
            case (
                events.PasswordReceived()
                | events.KeysWanted()
                | events.LoginReceived()
                | events.LoginFailed()
                | events.ExternalReceived()
            ):
                judge_login(core, event)
            case _ if core.awaits_reply:
                core.reply(replies.R220_START_TLS if event == events.TLS_REQUESTED else replies.R250_DONE)
    return heard


def codes(core: ServerConnection) -> list[int]:
    return [int(line[:3]) for line in core.octets_to_send().splitlines() if line[3:4] == b" "]


def introduced(settings: Settings = SUBMISSION, *, encrypted: bool = True) -> ServerConnection:
    core = ServerConnection(settings, encrypted=encrypted)
    drive(core, EHLO)
    core.octets_to_send()
    return core


def heard_by(wire: bytes, settings: Settings = SUBMISSION) -> list[int]:
    core = introduced(settings)
    drive(core, wire)
    return codes(core)


# When, and by which mechanism


@pytest.mark.parametrize(
    "line", [b"AUTH CRAM-MD5\r\n", b"AUTH EXTERNAL\r\n", b"AUTH P@\r\n", b"AUTH PLAIN2 x\r\n"]
)
def test_A77_a_mechanism_that_is_unknown_or_not_offered_gets_504(line: bytes) -> None:
    assert heard_by(line) == [504]


@pytest.mark.parametrize("mechanism", [PLAIN, SCRAM])
def test_A77_who_is_logged_in_cannot_log_in_again(mechanism: bytes) -> None:
    codes = heard_by(mechanism + PLAIN + b"RSET\r\n" + EHLO + b"AUTH LOGIN\r\n")
    assert codes[-5:] == [235, 503, 250, 250, 503]


@pytest.mark.parametrize(
    "opening", [b"", b"RCPT TO:<u@x.example>\r\n", b"RCPT TO:<u@x.example>\r\nBDAT 1\r\n."]
)
def test_A77_within_a_transaction_nobody_logs_in_and_it_stays(opening: bytes) -> None:
    core = introduced(replace(SUBMISSION, auth_required=False))
    drive(core, MAIL + opening)
    state = core.state
    core.octets_to_send()
    drive(core, PLAIN)
    assert (codes(core), core.state) == ([503], state)
    drive(core, b"RSET\r\n" + PLAIN)
    assert codes(core) == [250, 235]


def test_A14_A15_a_relay_offers_no_login_and_knows_the_verb() -> None:
    for opening in (b"", EHLO, EHLO + MAIL):
        heard = converse([opening + PLAIN], SETTINGS)
        assert b"AUTH" not in heard.output
        assert heard.codes[-1] == 502
    assert converse([EHLO + b"MAIL FROM:<a@b.example> AUTH=<>\r\n"]).codes == [220, 250, 555]


# Challenges


def test_A78_an_empty_challenge_has_its_space() -> None:
    core = introduced()
    drive(core, b"AUTH PLAIN\r\n")
    assert core.octets_to_send() == b"\x33\x33\x34\x20\x0d\x0a"


@pytest.mark.parametrize(
    "opening", [b"AUTH PLAIN\r\n", b"AUTH LOGIN dGlt\r\n", b"AUTH SCRAM-SHA-256 " + FIRST + b"\r\n"]
)
def test_A78_a_login_can_be_cancelled_and_begun_again(opening: bytes) -> None:
    assert heard_by(opening + b"*\r\n" + PLAIN) == [334, 501, 235]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_A78_an_equals_sign_is_an_initial_response_of_no_octets(mechanism: str) -> None:
    core = introduced()
    core.offer_external()
    drive(core, f"AUTH {mechanism} =\r\n".encode())
    challenge = b"334 UGFzc3dvcmQ6\r\n"
    expected = {"EXTERNAL": b"235 ", "LOGIN": challenge}.get(mechanism, b"535 5.7.8 ")
    assert core.octets_to_send().startswith(expected)


@pytest.mark.parametrize(
    "response",
    [
        b"=AAA",
        b"AAA=BBB",
        b"A B=",
        b"AAAA=A",
        b"AA",
        b"AAAA=",
        b"YR==",
        b"A===",
        b"====",
        b"\xff\xff",
        b"A\0A=",
    ],
)
def test_A79_base64_is_strict(response: bytes) -> None:
    for wire in (b"AUTH PLAIN " + response, b"AUTH PLAIN\r\n" + response):
        for segments in cuts(EHLO + wire + b"\r\nNOOP\r\n"):
            heard = converse(segments, SUBMISSION, encrypted=True)
            assert heard.replies[-2].startswith(b"501 5.5.2 ")
            assert heard.codes[-1] == 250


@pytest.mark.parametrize("opening", [b"AUTH PLAIN ", b"AUTH PLAIN\r\n", b"auth  plain  "])
@pytest.mark.parametrize("cut", [1, 512, 4000, 4097, 12_288, 50_000])
def test_A30_A79_a_long_answer_is_read_and_a_longer_one_passed_over(opening: bytes, cut: int) -> None:
    for octets, reply in ((12_000, b"535 5.7.8 "), (20_000, b"500 5.5."), (100_000, b"500 5.5.")):
        wire = EHLO + opening + b"A" * octets + b"\r\nNOOP\r\n" + PLAIN
        segments = [wire[place : place + cut] for place in range(0, len(wire), cut)]
        heard = converse(segments, SUBMISSION, encrypted=True)
        assert heard.replies[-3].startswith(reply), (octets, heard.replies)
        assert heard.codes[-2:] == [250, 235]


def test_A79_the_limit_of_a_line_is_exact() -> None:
    for opening, most in ((b"AUTH PLAIN ", 12_288 - 13), (b"AUTH PLAIN\r\n", 12_288 - 2)):
        assert heard_by(opening + b"A" * (most + 1) + b"\r\nNOOP\r\n")[-2:] == [500, 250]
        assert heard_by(opening + b"A" * (most // 4 * 4) + b"\r\nNOOP\r\n")[-2:] == [535, 250]


@pytest.mark.parametrize("between", [b"\r\n", b" "])
def test_A79_an_answer_that_is_too_long_is_told_from_other_lines(between: bytes) -> None:
    core = introduced()
    drive(core, b"AUTH LOGIN" + between + b"A" * 20_000 + b"\r\nNOOP " + b"A" * 20_000 + b"\r\n")
    assert [line[:9] for line in core.octets_to_send().splitlines()][-2:] == [b"500 5.5.6", b"500 5.5.2"]


def test_A30_other_lines_are_as_short_as_ever_after_a_login() -> None:
    assert heard_by(PLAIN + b"NOOP " + b"x" * 5000 + b"\r\nNOOP\r\n") == [235, 500, 250]
    relay = converse([b"AUTH PLAIN " + b"A" * 5000 + b"\r\nNOOP\r\n"], SETTINGS)
    assert relay.codes == [220, 500, 250]


# In the clear


def test_A80_in_the_clear_no_mechanism_is_offered_or_taken() -> None:
    heard = converse([EHLO + PLAIN + b"AUTH SCRAM-SHA-256\r\n" + MAIL], SUBMISSION)
    assert b"AUTH" not in heard.replies[1]
    assert heard.replies[2].endswith(b"say STARTTLS first\r\n")
    assert b"STARTTLS" not in converse([EHLO + b"AUTH EXTERNAL\r\n"], LOCAL).replies[2]
    assert heard.codes == [220, 250, 504, 504, 530]
    assert heard.logins == []


def test_A80_where_tls_is_required_it_comes_first() -> None:
    strict = replace(LOCAL, tls_required=True)
    heard = converse([EHLO + PLAIN + b"STARTTLS\r\n", EHLO + MAIL + PLAIN + MAIL], strict)
    assert [reply[:9] for reply in heard.replies[2:3]] == [b"530 5.7.0"]
    assert heard.codes == [220, 250, 530, 220, 250, 530, 235, 250]


def test_A80_inside_tls_and_on_local_sockets_they_are_offered() -> None:
    listed = b"250 AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n"
    assert listed in converse([EHLO], SUBMISSION, encrypted=True).output
    assert listed in converse([EHLO], LOCAL).output
    assert listed in converse([EHLO + b"STARTTLS\r\n", EHLO], SUBMISSION).output


def test_A71_a_login_in_the_clear_is_forgotten_inside_tls() -> None:
    heard = converse([EHLO + PLAIN + MAIL + b"RSET\r\nSTARTTLS\r\n", EHLO + MAIL + PLAIN + MAIL], LOCAL)
    assert heard.codes == [220, 250, 235, 250, 250, 220, 250, 530, 235, 250]


# Mechanisms


def test_A81_plain_is_who_acts_nul_who_is_it_nul_password() -> None:
    core = introduced()
    (login,) = drive(core, b"AUTH PLAIN " + encode("Ursel\0Kurt\0xipj3plmq") + b"\r\n")
    assert login == events.PasswordReceived("PLAIN", "Kurt", "Ursel", "xipj3plmq")
    (login,) = drive(core, b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n")
    assert login == events.PasswordReceived("PLAIN", "tim", "", "tanstaaftanstaaf")
    assert codes(core) == [535, 235]


@pytest.mark.parametrize("text", ["x" * 255, "ü" * 127, "€" * 85])
def test_A81_names_and_passwords_have_up_to_255_octets(text: str) -> None:
    (login,) = drive(introduced(), b"AUTH PLAIN " + encode(f"Z{text[1:]}\0{text}\0{text}") + b"\r\n")
    assert login == events.PasswordReceived("PLAIN", text, f"Z{text[1:]}", text)
    assert drive(introduced(), b"AUTH LOGIN " + encode(text) + b"\r\n" + encode(text) + b"\r\n") == [
        events.PasswordReceived("LOGIN", text, "", text)
    ]


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\0", b"\0\0", b"tim", b"\0tim", b"\0tim\0", b"\0\0x", b"\0tim\0x\0", b"\0tim\0x\0y",
        b"\0\xff\0x",
        b"\0tim\0\xc0\x80", b"\0tim\0\xed\xa0\x80", b"\0tim\0" + b"x" * 256, b"\0" + b"x" * 256 + b"\0y",
        b"x" * 256 + b"\0y\0z",
    ],
)  # fmt: skip
def test_A81_S7_what_cannot_be_a_password_is_refused_without_a_look_at_any(message: bytes) -> None:
    response = base64.b64encode(message)
    for command in (b"AUTH PLAIN " + (response or b"="), b"AUTH PLAIN\r\n" + response):
        core = introduced()
        heard = drive(core, command + b"\r\n")
        assert [type(event) for event in heard] == [events.CommandRefused]
        assert codes(core)[-1] == 535


def test_A82_scram_proves_both_to_each_other_by_the_example_of_the_rfc() -> None:
    core = introduced()
    heard = drive(core, SCRAM)
    assert heard == [
        events.KeysWanted("SCRAM-SHA-256", "user"),
        events.LoginReceived("SCRAM-SHA-256", "user"),
    ]
    first, final, last = core.octets_to_send().splitlines()
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    assert base64.b64decode(first[4:]) == f"r={CLIENT_NONCE}{SERVER_NONCE},s={salt},i=4096".encode()
    assert base64.b64decode(final[4:]) == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    assert last == b"235 2.7.0 Logged in"


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("c=biws", "c=eSws"),
        (SERVER_NONCE, SERVER_NONCE + "x"),
        (f"r={CLIENT_NONCE}", "r=x"),
        ("p=dH", "p=eH"),
        ("p=dH", "p="),
        ("p=", "m=x,p="),
        (",p=", ",p=\0"),
    ],
)
def test_A82_a_forged_proof_is_told_as_a_failure_and_lets_nobody_in(was: str, now: str) -> None:
    message = f"c=biws,r={CLIENT_NONCE}{SERVER_NONCE},p={PROOF}"
    assert was in message
    core = introduced()
    heard = drive(
        core, b"AUTH SCRAM-SHA-256 " + FIRST + b"\r\n" + encode(message.replace(was, now)) + b"\r\n" + MAIL
    )
    assert heard[:2] == [
        events.KeysWanted("SCRAM-SHA-256", "user"),
        events.LoginFailed("SCRAM-SHA-256", "user"),
    ]
    assert codes(core) == [334, 535, 530]


@pytest.mark.parametrize(("answer", "code"), [(b"eA==", 535), (b"*", 501), (b"?", 501)])
def test_A82_nobody_is_in_before_the_empty_answer(answer: bytes, code: int) -> None:
    core = introduced()
    drive(core, SCRAM[:-2] + answer + b"\r\n" + MAIL)
    assert codes(core) == [334, 334, code, 530]
    core = introduced()
    drive(core, SCRAM[:-2])
    assert core.state is State.LOGIN


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [
                    "n,,",
                    "y,,",
                    "p=x,,",
                    "n=",
                    "r=",
                    "a=",
                    "m=",
                    "=",
                    ",",
                    "user",
                    "=2C",
                    "=3D",
                    "\0",
                    "\u0628a",
                    "\ufdfa",
                ]
            ),
            st.text(max_size=4),
        ),
        max_size=12,
    ).map("".join),
    st.text(max_size=20),
)
def test_A82_S7_S11_whatever_is_said_as_scram_ends_in_a_reply(first: str, final: str) -> None:
    wire = b"AUTH SCRAM-SHA-256\r\n" + encode(first) + b"\r\n" + encode(final) + b"\r\n"
    core = introduced()
    heard = drive(core, wire)
    assert not [event for event in heard if isinstance(event, events.LoginReceived)]
    assert codes(core)[-1] in (500, 501, 535)
    assert core.state is State.READY


def test_external_waits_for_whoever_knows_who_is_there() -> None:
    core = introduced()
    core.offer_external()
    drive(core, EHLO)
    assert b" EXTERNAL\r\n" in core.octets_to_send()
    assert drive(core, b"AUTH EXTERNAL\r\n" + encode("joe@here.example") + b"\r\n") == [
        events.ExternalReceived("EXTERNAL", "joe@here.example")
    ]
    assert drive(core, b"AUTH EXTERNAL =\r\n" + MAIL)[0] == events.ExternalReceived("EXTERNAL", "")
    assert codes(core) == [334, 535, 235, 250]


def test_A71_what_was_shown_before_tls_is_no_reason_for_external_inside() -> None:
    core = introduced(LOCAL, encrypted=False)
    core.offer_external()
    drive(core, b"STARTTLS\r\n")
    core.tls_started()
    core.octets_to_send()
    drive(core, EHLO + b"AUTH EXTERNAL =\r\n")
    assert codes(core) == [250, 504]


# Failures


def test_A84_wrong_and_unknown_get_the_same_reply() -> None:
    unknown = WRONG.replace(encode("\0tim\0wrong"), encode("\0nobody\0wrong"))
    replied = [converse([EHLO + line], SUBMISSION, encrypted=True).replies[-1] for line in (WRONG, unknown)]
    assert replied[0] == replied[1]
    assert replied[0].startswith(b"535 5.7.8 ")


def test_A84_no_disconnect_before_the_third_failure() -> None:
    for wrong in (WRONG, b"AUTH LOGIN dGlt\r\neA==\r\n", FORGED):
        core = introduced()
        drive(core, wrong * 3)
        assert core.state is State.READY
        drive(core, PLAIN)
        assert codes(core)[-1] == 235


def test_S7_enough_failures_end_the_session() -> None:
    core = introduced()
    drive(core, WRONG * 9 + PLAIN)
    assert codes(core) == [535] * 5 + [421]
    assert core.state is State.CLOSED


def test_A84_a_back_end_that_is_down_is_nobodys_failure() -> None:
    busy = b"AUTH PLAIN " + encode("\0busy\0x") + b"\r\n"
    assert heard_by(busy * 9 + PLAIN) == [454] * 9 + [235]


@pytest.mark.parametrize(
    "line", [MAIL, b"RCPT TO:<x>\r\n", b"DATA\r\n", b"BDAT 2\r\nx\n", b"VRFY u\r\n", b"HELP\r\n"]
)
def test_A84_B2_before_the_login_530_after_it_what_is_due(line: bytes) -> None:
    assert heard_by(line) == [530]
    assert heard_by(PLAIN + line)[-1] != 530
    core = introduced()
    core.admit()
    drive(core, line)
    assert codes(core) != [530]


@pytest.mark.parametrize(
    "line", [b"AUTH\r\n", EHLO, b"HELO c\r\n", b"NOOP\r\n", b"RSET\r\n", b"QUIT\r\n", b"STARTTLS\r\n"]
)
def test_A84_what_is_always_answered(line: bytes) -> None:
    assert heard_by(line)[0] != 530


def test_X8_who_is_admitted_stays_so_inside_tls_and_may_log_in_too() -> None:
    core = ServerConnection(SUBMISSION)
    core.admit()
    drive(core, EHLO + MAIL + b"STARTTLS\r\n")
    core.tls_started()
    drive(core, EHLO + MAIL + b"RSET\r\n" + PLAIN)
    assert codes(core) == [220, 250, 250, 220, 250, 250, 250, 235]


@pytest.mark.parametrize("code", [421, 454, 535])
def test_A84_only_235_lets_anybody_in(code: int) -> None:
    core = introduced()
    core.receive(PLAIN + MAIL)
    assert isinstance(core.next_event(), events.PasswordReceived)
    assert core.next_event() is None
    core.reply(make_reply(code, f"{code // 100}.7.0", "x"))
    while core.next_event() is not None:
        pass
    assert codes(core) == ([421] if code == 421 else [code, 530])


@pytest.mark.parametrize("wire", [b"AUTH SCRAM-SHA-256 " + FIRST + b"\r\n", SCRAM.replace(FINAL, b"eA==")])
def test_A82_who_has_proved_nothing_cannot_be_let_in_by_mistake(wire: bytes) -> None:
    core = introduced()
    core.receive(wire)
    event = core.next_event()
    if wire.endswith(b"eA==\r\n\r\n"):
        core.give_keys(KEYS["user"], SERVER_NONCE)
        event = core.next_event()
    assert isinstance(event, (events.KeysWanted, events.LoginFailed))
    with pytest.raises(RuntimeError):
        core.reply(replies.R235_LOGGED_IN)
    core.octets_to_send()
    drive(core, MAIL)
    assert codes(core)[-1] == 530


@pytest.mark.parametrize("wire", [b"", PLAIN, MAIL])
def test_keys_are_only_taken_when_they_are_wanted(wire: bytes) -> None:
    core = introduced(replace(SUBMISSION, auth_required=False))
    core.receive(wire)
    core.next_event()
    with pytest.raises(RuntimeError):
        core.give_keys(KEYS["user"], SERVER_NONCE)


# AUTH behind MAIL


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("=e+3Dmc2@example.com", 250),
        ("=<>", 250),
        ("=+zz", 501),
        ("=+3d", 501),
        ("", 501),
        ("==", 501),
        ("=\u00fc", 501),
    ],
)
def test_A85_the_identity_of_others_is_read_and_means_nothing(value: str, code: int) -> None:
    core = introduced(replace(SUBMISSION, auth_required=False))
    line = f"MAIL FROM:<e=mc2@example.com> AUTH{value}\r\n".encode()
    (event,) = drive(core, line)
    assert codes(core) == [code]
    if isinstance(event, events.SenderReceived):
        (plain,) = drive(
            introduced(replace(SUBMISSION, auth_required=False)), b"MAIL FROM:<e=mc2@example.com>\r\n"
        )
        assert event == plain


# Addresses as people type them


def test_B9_unfinished_addresses_come_through_and_only_in_submission() -> None:
    wire = b'MAIL FROM:<joe>\r\nRCPT TO:<joe@sales>\r\nRCPT TO:<joe@here.example.>\r\nRCPT TO:<"joe d">\r\n'
    sender, *recipients = drive(introduced(replace(SUBMISSION, auth_required=False)), wire)
    assert isinstance(sender, events.SenderReceived)
    assert sender.sender == Mailbox("joe", "")
    assert recipients == [
        events.RecipientReceived(Recipient(Mailbox(local, domain)))
        for local, domain in (("joe", "sales"), ("joe", "here.example."), ("joe d", ""))
    ]
    relay = converse(
        [EHLO + b"MAIL FROM:<joe>\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<joe@here.example.>\r\n"]
    )
    assert relay.codes == [220, 250, 501, 250, 501]


# Secrets


def spellings(secret: str) -> list[str]:
    return [
        secret,
        encode(secret).decode(),
        encode(f"\0tim\0{secret}").decode(),
        encode(f"\0{secret}").decode()[2:-4],
    ]


SECRETIVE = [
    b"AUTH PLAIN " + encode(f"\0tim\0{SECRET}"),
    b"AUTH PLAIN\r\n" + encode(f"\0tim\0{SECRET}"),
    b"AUTH PLAIN " + encode(f"\0tim\0{SECRET}") + b"?",
    b"AUTH PLAIN\r\n" + encode(f"\0tim\0{SECRET}") + b"?",
    b"AUTH LOGIN dGlt\r\n" + encode(SECRET),
    b"AUTH LOGIN dGlt\r\n" + encode(SECRET) + b"\nNOOP",
    b"AUTH LOGIN dGlt\r\n" + encode(SECRET * 9000),
    b"AUTH LOGIN " + encode(SECRET * 9000),
    b"AUTH " + encode(SECRET),
    b"AUTH\t" + encode(SECRET),
    b"auth\n" + encode(SECRET),
    b"AUTH CRAM-MD5\r\n" + encode(SECRET),
    b"AUTH PLAIN\r\n*\r\n" + encode(SECRET),
    b"AUTH LOGIN\r\nx\r\n" + encode(SECRET) + b" x",
    b"AUTH LOGIN\r\nx\r\n" + encode(SECRET * 5000),
    b"AUTH LOGIN dGlt\r\n" + encode("wrong") + b"\r\n" + encode(SECRET),
    b"EXPN x\r\nMAIL\r\nAUTH x\r\n" + encode(SECRET) + b"\n",
]


@pytest.mark.parametrize("settings", [SUBMISSION, SETTINGS], ids=["submission", "relay"])
@pytest.mark.parametrize("wire", SECRETIVE, ids=range(len(SECRETIVE)))
@pytest.mark.parametrize("cut", [1, 7, 100_000])
def test_P9_L5_no_secret_is_in_what_is_told_or_shown(wire: bytes, settings: Settings, cut: int) -> None:
    watcher = Watcher()
    core = ServerConnection(settings, watcher, encrypted=True)
    wire = EHLO + wire + b"\r\nNOOP\r\n"
    told = [
        repr(event) for place in range(0, len(wire), cut) for event in drive(core, wire[place : place + cut])
    ]
    assert b"250 2.0.0 Done\r\n" in core.octets_to_send()
    for line in (*told, *watcher.shown):
        for secret in spellings(SECRET):
            assert secret[:12] not in line, line


@pytest.mark.parametrize("answer", [b"", b"?", b"*", b"A" * 13_000])
def test_P9_a_refused_answer_is_told_as_auth_with_its_length(answer: bytes) -> None:
    (refusal,) = drive(introduced(), b"AUTH PLAIN\r\n" + answer + b"\r\n")
    assert isinstance(refusal, events.CommandRefused)
    assert (refusal.verb, refusal.argument, refusal.length) == ("AUTH", "", len(answer))


def test_P9_no_proof_is_shown_to_those_who_watch() -> None:
    watcher = Watcher()
    core = ServerConnection(SUBMISSION, watcher, encrypted=True)
    drive(core, EHLO + SCRAM)
    assert watcher.shown[-4:] == ["AUTH", "334", "334", "235 2.7.0 Logged in"]
    assert "6rriTRBi" not in repr(KEYS["user"])
    assert str(KEYS["user"].stored_key) not in repr(KEYS["user"])


def test_P9_what_is_no_verb_is_told_as_ever_where_nobody_said_auth() -> None:
    (refusal,) = drive(introduced(), b"FOO bar\r\n")
    assert isinstance(refusal, events.CommandRefused)
    assert (refusal.verb, refusal.argument) == ("FOO", "")


def test_P6_memory_is_bounded_while_an_answer_does_not_end_and_nothing_is_held_when_it_has() -> None:
    core = introduced()
    drive(core, b"AUTH LOGIN\r\n")
    for _ in range(100):
        assert drive(core, b"A" * 10_000) == []
        assert core.pending_octets <= 12_288
    drive(core, b"\r\n")
    assert core._line_start == b""
    assert (core.pending_octets, core._login) == (0, None)
