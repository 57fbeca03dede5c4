"""What a sink has seen and taken: counts, violations, messages; and the files it keeps them in.

Written by the dialogues, read by whoever runs the sink, from another thread too. A message is in the books,
and in its file, before the client is told that it was taken.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

Teller = Callable[[dict[str, Any]], None]
_MOST_VIOLATIONS = 1000  # kept one by one; all are counted
_INDEX = "index.jsonl"


@dataclass(frozen=True, slots=True)
class TakenRecipient:
    """An address as it came, without brackets, and the parameters behind it."""

    address: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that the sink took: `digest` is SHA-256 of the content, in hexadecimal.

    `answered`: the client was told so, as far as the sink knows. `tls` is the version, empty in the clear.
    `file` is its name in the folder of kept messages, `content` empty unless the sink remembers.
    """

    number: int
    connection: int
    peer: str
    hello: str
    tls: str
    user: str
    sender: str
    parameters: tuple[str, ...]
    recipients: tuple[TakenRecipient, ...]
    digest: str
    octets: int
    answered: bool
    file: str = ""
    content: bytes = b""

    def describe(self) -> dict[str, Any]:
        """Return all but the content, for JSON."""
        described = asdict(self)
        del described["content"]
        return described


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that a strict peer would complain of; `detail` is what came, as far as it may be shown."""

    connection: int
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts. `copies`: of recipients; `surplus`: those of the same content beyond the first."""

    connections: int
    transactions: int
    messages: int
    recipients: int
    surplus: int
    deeds: dict[str, int]
    violations: dict[str, int]


class Books:
    """The counts and the messages of one sink."""

    def __init__(self, keep: Path | None, tell: Teller | None, *, remembers: bool) -> None:
        """Begin with nothing, behind what other sinks kept in the same folder."""
        self.connections = self.transactions = self.messages = self.recipients = self.surplus = 0
        self.deeds: Counter[str] = Counter()
        self.violation_counts: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self.taken: list[Taken] = []
        self._copies: set[str] = set()
        self._keep = keep
        self._number = 0 if keep is None else _find_last(keep)
        self._tell = tell
        self._remembers = remembers
        self._changed = threading.Condition()

    @property
    def wants_content(self) -> bool:
        """Whether content is of use beyond its digest."""
        return self._remembers or self._keep is not None

    @property
    def tells(self) -> bool:
        """Whether somebody listens to what happens."""
        return self._tell is not None

    def tell(self, event: str, connection: int, **facts: object) -> None:
        """Tell what happened to whoever listens."""
        if self._tell is not None:
            self._tell({"event": event, "connection": connection, **facts})

    def note_violation(self, connection: int, what: str, detail: str = "") -> None:
        """Write down what a client did wrong."""
        self.violation_counts[what] += 1
        if len(self.violations) < _MOST_VIOLATIONS:
            self.violations.append(Violation(connection, what, detail))
        self.tell("violation", connection, what=what, detail=detail)

    def note_deed(self, connection: int, word: str, stage: str) -> None:
        """Write down what the sink did to a client."""
        self.deeds[word] += 1
        self.tell("deed", connection, word=word, stage=stage)

    def name_next(self) -> tuple[int, str]:
        """Return the number of the next message, and the name of its file where messages are kept."""
        self._number += 1
        return self._number, "" if self._keep is None else f"{self._number:08d}.eml"

    def take(self, taken: Taken) -> None:
        """Take a message."""
        if self._keep is not None:
            self._write(self._keep, taken)
        with self._changed:
            self.messages += 1
            self.recipients += len(taken.recipients)
            self.surplus += sum(map(self._is_surplus, _list_copies(taken)))
            if self._remembers:
                self.taken.append(taken)
            self._changed.notify_all()
        if self._tell is not None:
            self.tell("taken", **taken.describe())

    def wait_for_messages(self, count: int, timeout_s: float) -> bool:
        """Wait in another thread until so many messages were taken; tell whether they were."""
        with self._changed:
            return self._changed.wait_for(lambda: self.messages >= count, timeout_s)

    def summarise(self) -> Summary:
        """Return the counts of now."""
        return Summary(
            self.connections,
            self.transactions,
            self.messages,
            self.recipients,
            self.surplus,
            dict(self.deeds),
            dict(self.violation_counts),
        )

    def _is_surplus(self, key: str) -> bool:
        if key in self._copies:
            return True
        self._copies.add(key)
        return False

    def _write(self, folder: Path, taken: Taken) -> None:
        (folder / taken.file).write_bytes(taken.content)
        with (folder / _INDEX).open("a", encoding="utf-8") as index:
            index.write(json.dumps(taken.describe()) + "\n")


def _list_copies(taken: Taken) -> list[str]:
    return [taken.digest + recipient.address for recipient in taken.recipients]


def _find_last(folder: Path) -> int:
    """Return the number of the last message that is kept in a folder, which is made where there is none."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return max((int(file.stem) for file in folder.glob("*.eml") if file.stem.isdigit()), default=0)
