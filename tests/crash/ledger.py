"""What was sent, what became of it, and whether it balances with what lies in the mailboxes (promise P2)."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.crash.site import Site, Stored
from tests.support.installation import content_of

_NUMBER = re.compile(rb"^X-Number: (\d+)\r?$", re.MULTILINE)
_REPORTED = re.compile(rb"^Delivered-To: [^+]*\+(\d+)@", re.MULTILINE)
_FAILED_RECIPIENT = re.compile(rb"^Final-Recipient: *rfc822; *(\S+)\r?$", re.MULTILINE | re.IGNORECASE)
_REPORT = re.compile(rb"^Content-Type: multipart/report\b", re.MULTILINE | re.IGNORECASE)


class Answer(Enum):
    """What the client was told of a message."""

    TAKEN = "taken"
    REFUSED = "refused"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send, and what must come of it once it is taken.

    `copies` counts the copies by account, `reports` the reports by failed recipient. `dropped`: it comes by
    way of the drop directory. No more than one message of a scenario is of the null sender: its reports go to
    the postmaster, and name nobody.
    """

    number: int
    recipients: tuple[str, ...]
    copies: Mapping[str, int]
    sender: str = "sender@else.example"
    octets: int = 500
    reports: Mapping[str, int] = field(default_factory=dict)
    dropped: bool = False
    been_at: str = ""
    """To whom it was delivered before, so that it fails there: it goes in a circle."""

    @property
    def return_path(self) -> str:
        """The sender, with the number in it: by that a report is known, which need not have any content."""
        return self.sender.replace("@", f"+{self.number}@")

    def content(self) -> bytes:
        """Make its content, the same each time: dots, long lines, whatever is no text."""
        source = random.Random(self.number)
        circle = [b"Delivered-To: " + self.been_at.encode()] if self.been_at else []
        lines = [*circle, b"Subject: crash", b"X-Number: %d" % self.number, b"", b".", b"..dots"]
        size = 0
        while size < self.octets:
            octets = source.randbytes(source.randrange(400)).translate(_NO_LINE_ENDS)
            lines.append(octets)
            size += len(octets) + 2
        return b"\r\n".join(lines) + b"\r\n"


_NO_LINE_ENDS = bytes(octet if octet not in (0, 10, 13) else 46 for octet in range(256))


@dataclass(slots=True)
class Ledger:
    """What was sent, in order, with what the client was told."""

    sent: dict[int, tuple[Message, Answer]] = field(default_factory=dict)

    def note(self, message: Message, answer: Answer) -> None:
        """Note what a client was told."""
        self.sent[message.number] = message, answer

    def copy(self) -> "Ledger":
        """Return one that may be written on."""
        return Ledger(dict(self.sent))


def balance(ledger: Ledger, site: Site) -> list[str]:
    """Return what is wrong, each with the promise that it breaks, once everything has come to rest."""
    wrong = []
    books = site.books()
    if not books.balance:
        wrong.append(f"P2: the books do not balance: {books}")
    if books.open:
        wrong.append(f"P2: {books.open} recipients are open still: {books}")
    copies, reports, strange = _sort_out(site.stored(), ledger)
    wrong += strange
    taken = 0
    for message, answer in ledger.sent.values():
        found = copies.pop(message.number, Counter())
        told = reports.pop(message.number, Counter())
        wanted, wanted_reports = Counter(message.copies), Counter(message.reports)
        came = bool(found or told)
        if answer is Answer.REFUSED and came:
            wrong.append(f"D4: message {message.number} was refused, and came: {found} {told}")
        elif answer is Answer.TAKEN or came:
            taken += len(message.recipients)
            wrong += _compare("copies", message.number, found, wanted)
            wrong += _compare("reports", message.number, told, wanted_reports)
        elif answer is Answer.NONE and not message.copies and not message.reports:
            taken = -10_000  # it leaves no trace by which we could tell
    wrong += [f"P2: message {number} was never sent" for number in (*copies, *reports)]
    if 0 <= taken != books.accepted:
        wrong.append(f"P2: {books.accepted} recipients accepted by the books, {taken} by what came")
    wrong += [f"D12: left behind: {what}" for what in site.leftovers()]
    return wrong


def _compare(what: str, number: int, found: Counter[str], wanted: Counter[str]) -> Iterable[str]:
    if missing := wanted - found:
        yield f"P2: message {number} lacks {what}: {dict(missing)}"
    if surplus := found - wanted:
        yield f"P4: message {number} has {what} too many: {dict(surplus)}"


Count = dict[int, Counter[str]]


def _sort_out(stored: Iterable[Stored], ledger: Ledger) -> tuple[Count, Count, Sequence[str]]:
    """Count copies and reports by the number of the message; list what is neither, or damaged."""
    nameless = next((message.number for message, _ in ledger.sent.values() if not message.sender), None)
    copies: Count = {}
    reports: Count = {}
    wrong = []
    for file in stored:
        is_report = _REPORT.search(file.octets.partition(b"\n\n")[0]) is not None
        match = (_REPORTED if is_report else _NUMBER).search(file.octets)
        number = int(match[1]) if match is not None else nameless if is_report else None
        if number is None or number not in ledger.sent:
            wrong.append(f"P2: a file in {file.account} is no message of ours: {file.octets[:300]!r}")
            continue
        message, _ = ledger.sent[number]
        if is_report:
            for failed in (found.decode() for found in _FAILED_RECIPIENT.findall(file.octets)):
                reports.setdefault(number, Counter())[failed] += 1
        else:
            copies.setdefault(number, Counter())[file.account] += 1
            if not _is_unchanged(file.octets, message):
                wrong.append(f"P1: message {number} in {file.account} is not what was sent")
    return copies, reports, wrong


def _is_unchanged(stored: bytes, message: Message) -> bool:
    if message.dropped:  # what is put before it differs from the relay's
        return stored.replace(b"\n", b"\r\n").endswith(b"\r\n" + message.content())
    return content_of(stored) == message.content()
