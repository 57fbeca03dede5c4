"""Dialogue files of the client core: each run whole, octet by octet, and cut in two at every place.

`S: text` is what the peer says, `|` between its lines; `S> octets` octets without a line end; `S!` the
connection is lost. `C: line` is all that the client says then, `C> octets` without a line end. `E: event` is
what its driver is told, `D: deed` what that does. `= setting` comes first, `#` is a comment. Octets have
Python's escapes. An answer is a code, with the status and `*` where it is ours, `?` where it is uncertain;
`-` is for who was not asked. Where `= whole` stands, what must happen depends on what comes together.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from paperpath.mail.envelope import Recipient, SenderParameters
from paperpath.mail.reply import Reply, make_reply
from paperpath.smtp.client import ClientConnection
from paperpath.smtp.client_events import (
    Answer,
    Broken,
    ContentWanted,
    Event,
    Ready,
    RecipientAnswered,
    Refused,
    TLSWanted,
    TransactionEnded,
)
from paperpath.smtp.client_settings import ClientSettings, Credentials, Security
from paperpath.smtp.transaction import Transaction
from tests.support.pair import address

FILES = sorted((Path(__file__).parent / "client").glob("*.txt"))
SECRET = "opensesame"  # in every file that logs in and says nothing else
NONCE = "rOprNGfwEbeRWgbNEkqO"  # of the example in RFC 7677
SECRETS = (SECRET, "b3BlbnNlc2FtZQ==", "AHUAb3BlbnNlc2FtZQ==", "pencil", "Yz1iaXdz", "dj02cnJp", "cj1yT3By")


@dataclass
class Play:
    """A file, read: lines of one kind that stand together are one step."""

    settings: list[str] = field(default_factory=list)
    steps: list[tuple[str, list[str]]] = field(default_factory=list)


def read(file: Path) -> Play:
    play = Play()
    for line in file.read_text(encoding="utf-8").splitlines():
        kind, text = line[:1], line[1:]
        if kind == "=":
            play.settings.append(text.strip())
        elif kind in "SCDE":
            if not play.steps or play.steps[-1][0] != kind or kind == "D" or text == "!":
                play.steps.append((kind, []))
            play.steps[-1][1].append(text)
        else:
            assert kind == "#", f"{file.name}: {line}"
    return play


class Watcher:
    """Keeps what the observer is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def see_command(self, verb: str) -> None:
        self.shown.append(verb)

    def see_reply(self, reply: Reply) -> None:
        self.shown.append(str(reply))


class Stage:
    """A core that a file is played on."""

    def __init__(self, settings: list[str]) -> None:
        words = dict(setting.partition(" ")[::2] for setting in settings)
        self.watcher = Watcher()
        self.core = ClientConnection(
            ClientSettings(
                "out.here.example",
                Security(words.get("security", "never")),
                read_login(words["login"]) if "login" in words else None,
                "lmtp" in words,
            ),
            self.watcher,
            encrypted="encrypted" in words,
        )

    def hear(self, octets: bytes) -> list[str]:
        if octets:
            self.core.receive(octets)
        return self.events()

    def events(self) -> list[str]:
        events = []
        while (event := self.core.next_event()) is not None:
            events.append(show(event))
        return events

    def do(self, deed: str) -> None:
        verb, _, argument = deed.strip().partition(" ")
        match verb:
            case "mail":
                self.core.begin(read_transaction(argument))
            case "send":
                self.core.send(unescape(argument))
            case "end":
                self.core.end_content()
            case "tls":
                self.core.tls_started()
            case "quit":
                self.core.quit()
            case "timeout":
                self.core.break_off(make_reply(451, "4.4.2", "Too slow"))
            case _:
                raise AssertionError(deed)


def show(event: Event) -> str:
    match event:
        case TLSWanted():
            return "tls"
        case Ready():
            return "ready"
        case ContentWanted():
            return "content"
        case Refused(stage, reply, is_ours) | Broken(stage, reply, is_ours):
            said = show_answer(Answer(reply, is_ours))
            return f"{type(event).__name__.lower()} {stage.name} {said}"
        case RecipientAnswered(place, answer):
            return f"answered {place} {show_answer(answer)}"
        case TransactionEnded(answers):
            return " ".join(["ended", *map(show_answer, answers)])


def show_answer(answer: Answer | None) -> str:
    if answer is None:
        return "-"
    code = f"{answer.reply.code}/{answer.reply.status}*" if answer.is_ours else str(answer.reply.code)
    return code + "?" * answer.is_uncertain


def read_login(text: str) -> Credentials:
    user, password = text.split() or ("u", SECRET)
    return Credentials(user, password, NONCE)


def read_transaction(text: str) -> Transaction:
    sender, *words = text.split()
    recipients = [read_recipient(word) for word in words if "@" in word]
    facts = dict(word.partition("=")[::2] for word in words if "@" not in word)
    parameters = SenderParameters(
        facts.get("body", ""), "smtputf8" in facts, facts.get("ret", ""), facts.get("envid", "")
    )
    return Transaction(
        None if sender == "<>" else address(sender),
        recipients,
        int(facts.get("size", "100")),
        parameters,
        "8bit" in facts or "header" in facts,
        "header" in facts,
    )


def read_recipient(word: str) -> Recipient:
    mailbox, *rest = word.split("/")
    facts = dict(fact.split("=", 1) for fact in rest)
    return Recipient(address(mailbox), facts.get("notify", ""), facts.get("orcpt", ""))


def unescape(text: str) -> bytes:
    return text.encode("unicode_escape").replace(b"\\\\", b"\\").decode("unicode_escape").encode("latin-1")


def octets_of(lines: list[str]) -> bytes:
    octets = b""
    for line in lines:
        text = unescape(line[2:]) if line[0] == ">" else line[2:].encode()
        if line[0] == ":":
            text = b"".join(part + b"\r\n" for part in text.split(b"|"))
        octets += text
    return octets


def perform(file: Path, play: Play, cut: int) -> Stage:
    """Play a file: in one piece where `cut` is 0, octet by octet for -1, else cut behind that many octets."""
    stage = Stage(play.settings)
    said = 0
    events: list[str] = []
    for number, (kind, lines) in enumerate(play.steps, 1):
        where = f"{file.name}, step {number}, cut {cut}"
        if kind == "S" and lines == ["!"]:
            stage.core.receive_end()
            events += stage.events()
        elif kind == "S":
            octets = octets_of(lines)
            for part in split(octets, cut if cut < 0 else max(cut - said, 0)):
                events += stage.hear(part)
            said += len(octets)
        elif kind == "D":
            stage.do(lines[0][1:])
            events += stage.events()
        elif kind == "E":
            assert events == [line[2:] for line in lines], where
            events = []
        else:
            assert stage.core.octets_to_send() == octets_of(lines), where
    assert stage.core.octets_to_send() == b"", file.name
    assert events == [], file.name
    return stage


def split(octets: bytes, cut: int) -> Iterator[bytes]:
    if cut < 0:
        yield from (octets[place : place + 1] for place in range(len(octets)))
    elif 0 < cut < len(octets):
        yield octets[:cut]
        yield octets[cut:]
    else:
        yield octets


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_client_dialogue_at_every_cut(file: Path) -> None:
    play = read(file)
    whole = "whole" in play.settings
    said = sum(len(octets_of(lines)) for kind, lines in play.steps if kind == "S" and lines != ["!"])
    for cut in (0,) if whole else (0, -1, *range(1, said)):
        stage = perform(file, play, cut)
        assert not any(secret in line for secret in SECRETS for line in stage.watcher.shown)
