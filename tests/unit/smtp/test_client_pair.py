"""Our client core with our server core, octet for octet (G-17, G-21, G-23, G-26, G-27, G-33, G-35)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.mail.envelope import Recipient, SenderParameters
from paperpath.smtp import replies
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_events import Ready, TLSWanted
from paperpath.smtp.client_settings import ClientSettings, Security
from paperpath.smtp.server import ServerConnection
from paperpath.smtp.settings import Settings
from tests.support.pair import CLIENT, SERVER, Outcome, Peer, address, converse, transaction

CLEAR = replace(CLIENT, security=Security.NEVER)


class LockStep(Settings):
    """A server without PIPELINING."""

    @property
    def keywords(self):
        return tuple(word for word in super().keywords if word != "PIPELINING")


PEERS = {"pipelined": SERVER, "lock-step": LockStep("mx.peer.example", 1_000_000, 100, dsn=True, binary=True)}


def deliver(messages, server=SERVER, client: ClientSettings = CLEAR, **verdicts) -> tuple[Outcome, Peer]:
    peer = Peer(ServerConnection(server), {f"{name}@p.example": reply for name, reply in verdicts.items()})
    return converse(ClientConnection(client), peer, messages), peer


@pytest.mark.parametrize("server", PEERS.values(), ids=PEERS)
def test_G21_G23_G29_three_messages_over_one_connection(server):
    content = b"S: x\r\n\r\n.\r\n..b\r\nc"
    outcome, peer = deliver(
        [
            (transaction("u@p.example", "bad@p.example", "v@p.example"), [content[:10], content[10:]]),
            (transaction("bad@p.example"), [content]),
            (transaction("w@p.example", sender=None), [b""]),
        ],
        server,
        bad=replies.R550_NO_SUCH_MAILBOX,
    )
    assert outcome.codes == [[250, 550, 250], [550], [250]]
    assert [message.content for message in peer.messages] == [content + b"\r\n", b""]
    assert outcome.sent.endswith(b"QUIT\r\n")


@pytest.mark.parametrize("server", PEERS.values(), ids=PEERS)
def test_G27_parameters_arrive_as_they_came(server):
    parameters = SenderParameters("8BITMIME", False, "HDRS", "QQ+2B")
    recipients = [
        Recipient(address("u@p.example"), "SUCCESS,DELAY", "rfc822;U+2Bx@P.example"),
        Recipient(address("v@p.example"), "NEVER"),
        Recipient(address('"v w"@p.example')),
    ]
    _, peer = deliver([(transaction(*recipients, parameters=parameters), [b"x\r\n"])], server)
    assert peer.messages[0].sender.parameters == parameters
    assert peer.messages[0].recipients == recipients


@pytest.mark.parametrize("server", PEERS.values(), ids=PEERS)
def test_G26_addresses_and_header_beyond_ascii_arrive_unchanged(server):
    parameters = SenderParameters("8BITMIME", True)
    recipient = Recipient(address("jürgen@bücher.example"), "", "utf-8;jürgen@bücher.example")
    content = "Subject: Grüße\r\n\r\nä\r\n".encode()
    message = transaction(
        recipient, sender="ü@here.example", parameters=parameters, has_8bit=True, has_8bit_header=True
    )
    outcome, peer = deliver([(message, [content])], server)
    taken = peer.messages[0]
    assert outcome.codes == [[250]]
    assert (taken.sender.sender, taken.sender.parameters) == (message.sender, parameters)
    assert (taken.recipients, taken.content) == ([recipient], content)


@pytest.mark.parametrize("server", PEERS.values(), ids=PEERS)
@given(chunks=st.lists(st.binary(max_size=40), max_size=4))
def test_G33_binary_content_arrives_unchanged(server, chunks):
    message = transaction("u@p.example", parameters=SenderParameters("BINARYMIME"))
    outcome, peer = deliver([(message, chunks)], server)
    assert outcome.codes == [[250]]
    assert peer.messages[0].content == b"".join(chunks)


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from([b"\r\n", b".", b"..", b"a", b"\x00", b"\xff"]), max_size=15),
    st.lists(st.integers(0, 30), max_size=3),
    st.sampled_from(list(PEERS)),
)
def test_G21_clean_content_arrives_unchanged_however_it_is_cut(parts, places, name):
    content = b"".join(parts)
    places = sorted(min(place, len(content)) for place in places)
    chunks = [content[start:end] for start, end in zip([0, *places], [*places, None], strict=True)]
    outcome, peer = deliver([(transaction("u@p.example", has_8bit=True), chunks)], PEERS[name])
    assert outcome.codes == [[250]]
    added = b"" if content.endswith(b"\r\n") or not content else b"\r\n"
    assert peer.messages[0].content == content + added


def test_G17_250_recipients_and_a_limit_of_100_are_three_transactions():
    recipients = [f"u{number}@p.example" for number in range(250)]
    waiting, rounds = recipients, []
    while waiting:
        outcome, peer = deliver([(transaction(*waiting), [b"x\r\n"])])
        rounds.append(len(peer.messages[0].recipients))
        waiting = [name for name, answer in zip(waiting, outcome.answers[0], strict=True) if answer is None]
    assert rounds == [100, 100, 50]


def test_G24_a_peer_that_says_too_many_is_asked_again():
    class Unlimited(Settings):
        @property
        def keywords(self):
            return tuple(word for word in super().keywords if not word.startswith("LIMITS"))

    server = Unlimited("mx.peer.example", 1000, recipients=2)
    outcome, peer = deliver([(transaction("a@p.example", "b@p.example", "c@p.example"), [b"x\r\n"])], server)
    assert outcome.codes == [[250, 250, None]]
    assert len(peer.messages[0].recipients) == 2


def test_G35_into_tls_and_on():
    outcome, peer = deliver([(transaction("u@p.example"), [b"x\r\n"])], SERVER, CLIENT)
    assert isinstance(outcome.events[0], TLSWanted)
    assert isinstance(outcome.events[1], Ready)
    assert outcome.codes == [[250]]
    assert peer.core.encrypted


def test_G17_MAILMAX_ends_a_connection():
    class Thrifty(Settings):
        @property
        def keywords(self):
            return (*super().keywords[:-2], "LIMITS MAILMAX=2")

    peer = Peer(ServerConnection(Thrifty("mx.peer.example", 1000, 100)))
    client = ClientConnection(CLEAR)
    messages = [(transaction("u@p.example"), [b"x\r\n"])] * 3
    assert converse(client, peer, messages).codes == [[250], [250]]
    assert client.is_exhausted


def test_S12_no_command_holds_a_line_end_of_its_own():
    evil = Recipient(address("u@p.example"), "", "rfc822;x\r\nRSET")
    with pytest.raises(ValueError, match="line end"):
        deliver([(transaction(evil), [])])
