"""A driver of the client core that sends two messages to a peer that says anything, and judges by itself.

Its reading is of what the observer was shown: commands and replies, paired in the order of the wire. Only it
decides here who may have been delivered (S-12, G-30).
"""

import base64
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from paperpath.mail.envelope import SenderParameters
from paperpath.mail.reply import Reply
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_events import (
    Answer,
    Broken,
    ContentWanted,
    Ready,
    RecipientAnswered,
    Refused,
    TLSWanted,
    TransactionEnded,
)
from paperpath.smtp.client_settings import ClientSettings, Credentials, Security
from paperpath.smtp.reply_reader import MOST_LINE_OCTETS, MOST_REPLY_OCTETS
from tests.support.core import CLIENT_NONCE, SERVER_NONCE
from tests.support.pair import CLIENT, transaction

RECIPIENTS = 3
CONTENT = b"S: x\r\n\r\n.\r\nend\r\n"
CORES = [
    replace(CLIENT, security=Security.NEVER),
    CLIENT,
    replace(CLIENT, security=Security.REQUIRED),
    replace(CLIENT, lmtp=True, security=Security.NEVER),
    replace(CLIENT, credentials=Credentials("u", "secret", CLIENT_NONCE)),
]
EHLOS = [b"250-x\r\n250-PIPELINING\r\n250-BINARYMIME\r\n250 CHUNKING\r\n", b"250 x\r\n"]
_FIRST = f"r={CLIENT_NONCE}{SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CHALLENGE = b"334 " + base64.b64encode(_FIRST.encode()) + b"\r\n"


class Reading:
    """Pairs commands with replies, as the observer is shown them."""

    def __init__(self) -> None:
        self.asked: deque[str] = deque()
        self.heard: list[tuple[str, int]] = []
        self.begun = 0

    def see_command(self, verb: str) -> None:
        self.asked.append(verb)

    def see_reply(self, reply: Reply) -> None:
        self.heard.append((self.asked.popleft() if self.asked else "", reply.code))

    def begin(self) -> None:
        self.begun = len(self.heard)

    def may_be_delivered(self, recipient: int) -> bool:
        heard = [(command, code // 100) for command, code in self.heard[self.begun :]]
        ends = [place for place, (command, _) in enumerate(heard) if command in {".", "BDAT 0 LAST"}]
        return (
            any(command.startswith("MAIL ") and digit == 2 for command, digit in heard)
            and (f"RCPT TO:<u{recipient}@p.example>", 2) in heard
            and any(
                (command == "DATA" and digit == 3) or command == "BDAT 0 LAST" for command, digit in heard
            )
            and len(ends) == 1
            and any(digit == 2 for _, digit in heard[ends[0] :])  # by LMTP several replies come to the end
        )


class Driver:
    """Sends two messages and quits, whatever it is told."""

    def __init__(self, core: ClientSettings, *, binary: bool) -> None:
        self.reading = Reading()
        self.core = ClientConnection(core, self.reading)
        self.reading.asked.append("greeting")
        self.body = SenderParameters("BINARYMIME") if binary else SenderParameters()
        self.left = 2
        self.chunks: list[bytes] = []
        self.told: list[object] = []
        self.ahead: list[RecipientAnswered] = []
        self.sent = b""

    def hear(self, octets: bytes) -> None:
        self.core.receive(octets)
        self.act()

    def act(self) -> None:
        while (event := self.core.next_event()) is not None:
            self.told.append(event)
            self.react(event)
        self.sent += self.core.octets_to_send()
        reader = self.core._reader
        assert len(reader._input) - reader._read_to <= MOST_LINE_OCTETS
        assert sum(map(len, reader._lines)) <= MOST_REPLY_OCTETS

    def react(self, event: object) -> None:
        match event:
            case TLSWanted():
                self.core.tls_started()
            case RecipientAnswered():
                self.ahead.append(event)
            case TransactionEnded(answers):
                self.judge(answers)
                self.go_on()
            case Ready():
                self.go_on()
            case ContentWanted():
                while self.core.wants_content and self.chunks:
                    self.core.send(self.chunks.pop())
                if self.core.wants_content:
                    self.core.end_content()
            case Refused():
                self.core.quit()

    def go_on(self) -> None:
        if self.core.can_begin and self.left:
            self.left -= 1
            self.reading.begin()
            self.chunks = [CONTENT[9:], CONTENT[:9]]
            self.core.begin(
                transaction(*(f"u{n}@p.example" for n in range(RECIPIENTS)), parameters=self.body)
            )
        elif self.core.can_begin:
            self.core.quit()

    def judge(self, answers: Sequence[Answer | None]) -> None:
        assert len(answers) == RECIPIENTS
        assert all(answers[one.place] == one.answer for one in self.ahead)
        assert len(self.ahead) < RECIPIENTS
        self.ahead.clear()
        for recipient, answer in enumerate(answers):
            if answer is not None and answer.reply.is_positive:
                assert not answer.is_ours
                assert self.reading.may_be_delivered(recipient)
            if answer is not None and answer.is_uncertain:
                assert answer.is_ours
                assert answer.reply.code // 100 == 4

    def end(self) -> None:
        """Have the peer leave; assert that each message, and the session, ended once."""
        self.core.receive_end()
        self.act()
        endings = [event for event in self.told if isinstance(event, Refused | Broken)]
        assert len(endings) <= 1
        assert not endings or self.told[-1] is endings[0]
        begun = self.told.count(ContentWanted())
        assert sum(isinstance(event, TransactionEnded) for event in self.told) >= (begun > 0)
        assert self.core._dealing is None
