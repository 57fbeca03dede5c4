"""The sink's dialogue without a socket: what it takes, and what it complains of."""

import base64
from dataclasses import replace
from random import Random

import pytest

from paperpath.smtp.scram import Prover
from paperpath.testing.sink_books import Books
from paperpath.testing.sink_dialogue import Dialogue
from paperpath.testing.sink_options import SinkOptions
from paperpath.testing.sink_script import Director, Ending

EHLO = b"EHLO client.example\r\n"
MAIL = b"MAIL FROM:<a@b.example>\r\n"
RCPT = b"RCPT TO:<u@x.example>\r\n"
CONTENT = b"Subject: x\r\n\r\n..dot\r\n.\r\n"


class Talk:
    """A dialogue, and a client that waits for each reply."""

    def __init__(self, options: SinkOptions | None = None) -> None:
        self.options = options or SinkOptions()
        self.books = Books(None, None, remembers=True)
        self.dialogue = Dialogue(self.options, Director(Random(1), 0, always=False), self.books, "peer:1")
        self.greeting = self.dialogue.greet().octets

    def say(self, octets: bytes) -> bytes:
        """Send octets in one segment; return what comes back."""
        self.dialogue.receive(octets, answered=True)
        said = b""
        while (act := self.dialogue.next_act()) is not None:
            said += act.octets
        return said

    def say_all(self, *commands: bytes) -> list[int]:
        """Send commands one by one; return the codes."""
        return [int(self.say(command)[:3]) for command in commands]

    @property
    def complaints(self) -> list[str]:
        return [violation.what for violation in self.books.violations]


def test_a_message_is_taken_as_it_came() -> None:
    talk = Talk()
    codes = talk.say_all(
        EHLO, b"MAIL FROM:<a@b.example> SIZE=9 BODY=8BITMIME ret=hdrs\r\n", RCPT, b"DATA\r\n"
    )
    assert codes == [250, 250, 250, 354]
    assert talk.say("Grüße\r\n".encode() + CONTENT).startswith(b"250 ")
    (taken,) = talk.books.taken
    assert taken.content == "Grüße\r\n".encode() + b"Subject: x\r\n\r\n.dot\r\n"
    assert (taken.sender, taken.parameters) == ("a@b.example", ("SIZE=9", "BODY=8BITMIME", "ret=hdrs"))
    assert [recipient.address for recipient in taken.recipients] == ["u@x.example"]
    assert (taken.octets, taken.hello, taken.answered) == (len(taken.content), "client.example", True)
    assert talk.complaints == []


def test_octet_by_octet_is_the_same() -> None:
    talk = Talk()
    talk.say(EHLO)
    for place in range(len(wire := MAIL + RCPT + b"DATA\r\n")):
        talk.say(wire[place : place + 1])
    for place in range(len(CONTENT)):
        talk.say(CONTENT[place : place + 1])
    assert [taken.content for taken in talk.books.taken] == [b"Subject: x\r\n\r\n.dot\r\n"]
    assert talk.complaints == []


def test_groups_are_taken_where_they_are_offered() -> None:
    talk = Talk()
    talk.say(EHLO)
    assert talk.say(MAIL + RCPT + b"DATA\r\n").count(b"\r\n") == 3
    assert talk.say(CONTENT + MAIL + RCPT + b"RSET\r\n").count(b"\r\n") == 4
    assert talk.complaints == []


def test_what_may_have_been_on_its_way_is_no_fault() -> None:
    talk = Talk()
    talk.say(EHLO)
    talk.say(b"MAIL FROM:<tempfail@b.example>\r\n" + RCPT + b"DATA\r\n")
    talk.say(MAIL + b"RCPT TO:<permfail@x.example>\r\nDATA\r\n")
    assert talk.complaints == []


BARE = SinkOptions(pipelining=False, eight_bit=False, smtputf8=False, dsn=False, announces_size=False)
LIMITED = SinkOptions(limits="RCPTMAX=1 MAILMAX=1")
CHUNKS = SinkOptions(chunking=True)


@pytest.mark.parametrize(
    ("options", "said", "what"),
    [
        (BARE, [EHLO, MAIL + RCPT], "pipelining was not offered"),
        (BARE, [EHLO, MAIL, RCPT, b"DATA\r\n", CONTENT + MAIL], "pipelining was not offered"),
        (None, [b"HELO c.example\r\n", MAIL + RCPT], "pipelining was not offered"),
        (None, [EHLO + MAIL], "pipelining was not offered"),
        (None, [EHLO, EHLO + MAIL], "octets behind what ends a group"),
        (None, [EHLO, MAIL, RCPT, b"DATA\r\n" + CONTENT], "octets behind what ends a group"),
        (None, [MAIL], "out of order"),
        (None, [EHLO, RCPT], "out of order"),
        (None, [EHLO, MAIL, MAIL], "out of order"),
        (None, [EHLO, MAIL, b"DATA\r\n"], "out of order"),
        (BARE, [EHLO, MAIL, b"RCPT TO:<permfail@x.example>\r\n", b"DATA\r\n"], "out of order"),
        (None, [EHLO, b"STARTTLS\r\n"], "out of order"),
        (None, [EHLO, b"AUTH PLAIN\r\n"], "out of order"),
        (None, [b"FOO\r\n"], "unknown command"),
        (None, [b"EHLO client.example\n"], "bare newline in a command"),
        (None, [b"EHLO client\r.example\r\n"], "bare newline in a command"),
        (None, [b"x" * 20_000], "line without end"),
        (None, [b"EHLO client_example\r\n"], "malformed name in EHLO"),
        (None, [EHLO, b"MAIL TO:<a@b.example>\r\n"], "malformed command"),
        (None, [EHLO, b"MAIL FROM:a@b.example\r\n"], "malformed path"),
        (None, [EHLO, b"MAIL FROM: <a@b.example>\r\n"], "white space before a path"),
        (None, [EHLO, MAIL, b"RCPT TO:<>\r\n"], "empty recipient"),
        (None, [EHLO, MAIL, RCPT, b"DATA now\r\n"], "argument behind DATA"),
        (None, [EHLO, b"MAIL FROM:<a@b.example> FOO=1\r\n"], "parameter that was not offered"),
        (
            None,
            [b"HELO c.example\r\n", b"MAIL FROM:<a@b.example> SIZE=1\r\n"],
            "parameter that was not offered",
        ),
        (BARE, [EHLO, b"MAIL FROM:<a@b.example> SIZE=1\r\n"], "parameter that was not offered"),
        (BARE, [EHLO, b"MAIL FROM:<a@b.example> RET=FULL\r\n"], "parameter that was not offered"),
        (BARE, [EHLO, b"MAIL FROM:<a@b.example> SMTPUTF8\r\n"], "parameter that was not offered"),
        (BARE, [EHLO, MAIL, b"RCPT TO:<u@x.example> NOTIFY=NEVER\r\n"], "parameter that was not offered"),
        (None, [EHLO, b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n"], "BINARYMIME was not offered"),
        (None, [EHLO, MAIL, "RCPT TO:<ü@x.example>\r\n".encode()], "address outside ASCII without SMTPUTF8"),
        (None, [EHLO, MAIL, RCPT, b"DATA\r\n", b"\xff\r\n.\r\n"], "8-bit content without BODY=8BITMIME"),
        (
            BARE,
            [EHLO, MAIL, RCPT, b"DATA\r\n", b"\xff\r\n.\r\n"],
            "8-bit content, and 8BITMIME was not offered",
        ),
        (None, [EHLO, MAIL, RCPT, b"DATA\r\n", b"a\nb\r\n.\r\n"], "bare newline in content"),
        (LIMITED, [EHLO, MAIL, RCPT, RCPT], "more than RCPTMAX"),
        (LIMITED, [EHLO, MAIL, b"RSET\r\n", MAIL], "more than MAILMAX"),
        (None, [EHLO, MAIL, RCPT, b"BDAT 2 LAST\r\nab"], "CHUNKING was not offered"),
        (CHUNKS, [EHLO, MAIL, RCPT, b"BDAT x\r\n"], "malformed BDAT"),
        (
            SinkOptions(chunking=True, pipelining=False),
            [EHLO, MAIL, b"RCPT TO:<452-at-data@x.example>\r\n", b"BDAT 2\r\nab", b"BDAT 0 LAST\r\n"],
            "out of order",
        ),
        (SinkOptions(greeting="554"), [EHLO], "went on after a refused greeting"),
    ],
)
def test_a_strict_peer_would_complain(options: SinkOptions | None, said: list[bytes], what: str) -> None:
    talk = Talk(options)
    for octets in said[:-1]:
        talk.say(octets)
    assert talk.complaints == []
    talk.say(said[-1])
    assert talk.complaints[:1] == [what]


def test_octets_before_the_reply_are_noticed_while_it_waits() -> None:
    talk = Talk(SinkOptions(greeting_delay_s=3))
    talk.dialogue.receive(EHLO, answered=False)
    assert talk.complaints == ["spoke before the greeting"]


def test_leaving_without_quit_is_noticed() -> None:
    for said, complaints in ((b"", ["closed without QUIT"]), (b"QUIT\r\n", [])):
        talk = Talk()
        talk.say(said)
        talk.dialogue.lost(by_client=True)
        assert talk.complaints == complaints


def test_chunks_make_a_message() -> None:
    talk = Talk(SinkOptions(chunking=True, binary=True))
    talk.say(EHLO)
    talk.say(b"MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n" + RCPT)
    assert talk.say(b"BDAT 3\r\na\nbBDAT 0\r\nBDAT 4 LAST\r\n.\r\n\xff").count(b"250 ") == 3
    assert [taken.content for taken in talk.books.taken] == [b"a\nb.\r\n\xff"]
    assert talk.complaints == []


def test_chunks_that_are_refused_are_passed_over() -> None:
    talk = Talk(SinkOptions(chunking=True))
    talk.say_all(EHLO, MAIL, b"RCPT TO:<552-at-data@x.example>\r\n")
    assert talk.say(b"BDAT 6\r\nQUIT\r\n").startswith(b"552 ")
    assert talk.say_all(b"RSET\r\n", MAIL, RCPT, b"BDAT 2 LAST\r\nab") == [250, 250, 250, 250]
    assert talk.complaints == []


def test_size_and_recipients_have_limits() -> None:
    talk = Talk(SinkOptions(size=10, recipients=1, recipients_code=552))
    talk.say(EHLO)
    assert talk.say_all(b"MAIL FROM:<a@b.example> SIZE=11\r\n") == [552]
    assert talk.say_all(MAIL, RCPT, RCPT, b"DATA\r\n", b"12345678\r\n9\r\n.\r\n") == [250, 250, 552, 354, 552]
    assert (talk.books.messages, talk.complaints) == (0, [])


def test_malformed_limits_are_announced_and_limit_nothing() -> None:
    talk = Talk(SinkOptions(limits="RCPTMAX=x =5"))
    assert b"LIMITS RCPTMAX=x =5\r\n" in talk.say(EHLO)
    talk.say_all(MAIL, RCPT, RCPT)
    assert talk.complaints == []


def test_the_sender_says_what_becomes_of_everything() -> None:
    for local, codes in (
        (b"450", [450, 503, 503]),
        (b"lies-354-to-mail", [354, 503, 503]),
        (b"451-at-rcpt", [250, 451, 503]),
        (b"lies-250-to-data", [250, 250, 250]),
    ):
        talk = Talk()
        talk.say(EHLO)
        mail = b"MAIL FROM:<" + local + b"@b.example>\r\n"
        assert talk.say_all(mail, RCPT, b"DATA\r\n") == codes


@pytest.mark.parametrize(
    ("word", "code"), [(b"lies-354-without-recipients", 554), (b"lies-250-without-recipients", 250)]
)
def test_data_is_taken_for_nobody(word: bytes, code: int) -> None:
    talk = Talk()
    talk.say(EHLO)
    assert talk.say_all(MAIL, b"RCPT TO:<" + word + b"@x.example>\r\n", b"DATA\r\n", b".\r\n") == [
        250,
        550,
        354,
        code,
    ]
    assert (talk.books.messages, talk.complaints) == (0, [])


def test_copies_beyond_the_first_are_surplus() -> None:
    talk = Talk()
    talk.say(EHLO)
    for recipients in ((b"u", b"v"), (b"v",), (b"w", b"u")):
        talk.say(MAIL)
        for local in recipients:
            talk.say(b"RCPT TO:<" + local + b"@x.example>\r\n")
        talk.say(b"DATA\r\n")
        talk.say(CONTENT)
    summary = talk.books.summarise()
    assert (summary.messages, summary.recipients, summary.surplus) == (3, 5, 2)


SECRET = SinkOptions(user="joe", password="pässwort")


def encode(text: str) -> bytes:
    return base64.b64encode(text.encode()) + b"\r\n"


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ([b"AUTH PLAIN " + encode("\0joe\0pässwort")], [235]),
        ([b"AUTH plain\r\n", encode("me\0joe\0pässwort")], [334, 235]),
        ([b"AUTH LOGIN\r\n", encode("joe"), encode("pässwort")], [334, 334, 235]),
        ([b"AUTH LOGIN " + encode("joe"), encode("wrong")], [334, 535]),
        ([b"AUTH PLAIN " + encode("\0joe\0wrong")], [535]),
        ([b"AUTH PLAIN " + encode("no NUL")], [535]),
        ([b"AUTH PLAIN =\r\n"], [535]),
        ([b"AUTH PLAIN\r\n", b"*\r\n"], [334, 501]),
        ([b"AUTH LOGIN\r\n", b"?\r\n"], [334, 501]),
        ([b"AUTH CRAM-MD5\r\n"], [504]),
    ],
)
def test_logging_in(said: list[bytes], codes: list[int]) -> None:
    talk = Talk(SECRET)
    assert b"250-AUTH PLAIN LOGIN\r\n" in talk.say(EHLO).replace(b"250 ", b"250-")
    assert talk.say_all(MAIL) == [530]
    assert talk.say_all(*said) == codes
    assert talk.say_all(MAIL) == [250 if codes[-1] == 235 else 530]
    assert talk.complaints == ["AUTH in the clear"]


def test_logging_in_by_scram() -> None:
    talk = Talk(replace(SECRET, mechanisms=("SCRAM-SHA-256",)))
    assert b"250-AUTH SCRAM-SHA-256\r\n" in talk.say(EHLO).replace(b"250 ", b"250-")
    assert talk.say_all(b"AUTH PLAIN " + encode("\0joe\0pässwort")) == [504]
    for user, password, code in (("ann", "pässwort", 535), ("joe", "wrong", 535), ("joe", "pässwort", 235)):
        prover = Prover(user, password, "nonce")
        challenge = talk.say(b"AUTH SCRAM-SHA-256 " + base64.b64encode(prover.first) + b"\r\n")
        said = talk.say(base64.b64encode(prover.prove(base64.b64decode(challenge[4:]))) + b"\r\n")
        if password == "pässwort":
            prover.verify(base64.b64decode(said[4:]))
            said = talk.say(b"\r\n")
        assert int(said[:3]) == code


def test_challenges_may_be_garbage() -> None:
    talk = Talk(SinkOptions(user="joe", password="x", auth_garbage=True))
    talk.say(EHLO)
    with pytest.raises(ValueError, match="base64"):
        base64.b64decode(talk.say(b"AUTH PLAIN\r\n")[4:].strip(), validate=True)


def test_size_0_is_no_limit() -> None:
    talk = Talk(SinkOptions(size=0))
    assert b"SIZE 0\r\n" in talk.say(EHLO)
    assert talk.say_all(b"MAIL FROM:<a@b.example> SIZE=1000\r\n", RCPT, b"DATA\r\n", CONTENT) == [
        250,
        250,
        354,
        250,
    ]


def test_a_message_may_be_kept_and_its_client_never_told() -> None:
    for word, answered in (
        (b"disconnect-after-dot", False),
        (b"451-after-dot", False),
        (b"multiline-after-dot", True),
    ):
        talk = Talk()
        talk.say_all(EHLO, MAIL, b"RCPT TO:<" + word + b"@x.example>\r\n", b"DATA\r\n")
        assert (b"Taken" in talk.say(CONTENT)) is answered
        assert [taken.answered for taken in talk.books.taken] == [answered]


LHLO = b"LHLO client.example\r\n"


def test_F14_the_sink_speaks_LMTP_and_answers_for_each_recipient() -> None:
    talk = Talk(SinkOptions(lmtp=True))
    assert b"250-PIPELINING" in talk.say(LHLO)
    words = ("u", "452-at-dot", "550-at-dot", "450-after-dot", "u", "permfail")
    commands = [b"RCPT TO:<%s@x.example>\r\n" % word.encode() for word in words]
    assert talk.say_all(MAIL, *commands) == [250] * 6 + [550]
    replies = (talk.say(b"DATA\r\n") + talk.say(CONTENT)).splitlines()
    assert [int(reply[:3]) for reply in replies] == [354, 250, 452, 550, 450, 250]
    taken = [(each.recipients[0].address, each.answered) for each in talk.books.taken]
    assert taken == [("u@x.example", True), ("450-after-dot@x.example", False), ("u@x.example", True)]
    assert talk.books.surplus == 1
    assert talk.say_all(MAIL, RCPT, b"DATA\r\n", CONTENT, MAIL) == [250, 250, 354, 250, 250]
    assert talk.complaints == []


def test_F14_whoever_is_behind_a_closed_connection_has_no_copy_in_the_sink() -> None:
    talk = Talk(SinkOptions(lmtp=True, chunking=True))
    talk.say_all(LHLO, MAIL, RCPT, b"RCPT TO:<disconnect-at-dot@x.example>\r\n", RCPT)
    talk.dialogue.receive(b"BDAT 4 LAST\r\nhi\r\n", answered=True)
    first, second = talk.dialogue.next_act(), talk.dialogue.next_act()
    assert first is not None
    assert second is not None
    assert (first.octets[:3], second.octets, second.ending) == (b"250", b"", Ending.CLOSE)
    assert len(talk.books.taken) == 1


@pytest.mark.parametrize(("lmtp", "verb"), [(True, b"EHLO"), (True, b"HELO"), (False, b"LHLO")])
def test_F14_the_sink_knows_the_verb_of_its_protocol_alone(lmtp: bool, verb: bytes) -> None:
    talk = Talk(SinkOptions(lmtp=lmtp))
    assert talk.say_all(verb + b" client.example\r\n", MAIL) == [500, 503]
    assert talk.complaints == ["greeting of another protocol", "out of order"]
