"""What was sent, what became of it, and whether it balances with what lies in the mailboxes (promise P2)."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tests.crash.mailbox_ledger import MailboxLedger
from tests.crash.site import Site, Stored
from tests.support.installation import content_of, content_of_relayed

_NUMBER = re.compile(rb"^X-Number: (\d+)\r?$", re.MULTILINE)
_REPORTED = re.compile(rb"^Delivered-To: [^+]*\+(\d+)@", re.MULTILINE)
_FAILED_RECIPIENT = re.compile(rb"^Final-Recipient: *rfc822; *(\S+)\r?$", re.MULTILINE | re.IGNORECASE)
_REPORT = re.compile(rb"^Content-Type: multipart/report\b", re.MULTILINE | re.IGNORECASE)
_NOTICE = re.compile(rb"^Subject: Message (\w+) was set aside\r?$", re.MULTILINE)
_QUEUE_ID = re.compile(rb"^Received: [^;]*\bid (\w+)", re.MULTILINE)


class Answer(Enum):
    """What the client was told of a message."""

    TAKEN = "taken"
    REFUSED = "refused"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Message:
    """A message to send, and what must come of it once it is taken.

    `copies` counts the copies by account, `reports` the reports by failed recipient, `notices` what the
    postmaster is told of it. `dropped`: it comes by way of the drop directory; `submitted`: by smtpsd, with a
    header in canonical form. No more than one message of a scenario is of the null sender: its reports go to
    the postmaster, and name nobody.
    """

    number: int
    recipients: tuple[str, ...]
    copies: Mapping[str, int]
    sender: str = "sender@else.example"
    octets: int = 500
    reports: Mapping[str, int] = field(default_factory=dict)
    notices: int = 0
    dropped: bool = False
    submitted: bool = False
    refused: int = 0
    """How many of its recipients are reported without being accepted."""
    typed: bool = False
    """Whether mailto makes its header: only its text is ours."""
    notify: str = ""
    """What of NOTIFY is asked for all recipients; empty: nothing."""
    forwards: int = 0
    """How many messages it goes on as, which are accepted too."""
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
        head = _CANONICAL if self.submitted else []
        lines = [*circle, *head, b"Subject: crash", b"X-Number: %d" % self.number, b"", b".", b"..dots"]
        size = 0
        while size < self.octets:
            octets = source.randbytes(source.randrange(400)).translate(_NO_LINE_ENDS)
            lines.append(octets)
            size += len(octets) + 2
        return b"\r\n".join(lines) + b"\r\n"

    def text(self) -> bytes:
        """Return what stands behind the header."""
        return self.content().partition(b"\r\n\r\n")[2]


_CANONICAL = [
    b"From: sender@else.example",
    b"Date: Mon, 2 Feb 2026 10:00:00 +0000",
    b"Message-ID: <crash@else.example>",
    b"To: u@here.example",
]
_NO_LINE_ENDS = bytes(octet if octet not in (0, 10, 13) else 46 for octet in range(256))


@dataclass(slots=True)
class Ledger:
    """What was sent, in order, with what the client was told; and what a mail program was told."""

    sent: dict[int, tuple[Message, Answer]] = field(default_factory=dict)
    mailbox: MailboxLedger = field(default_factory=MailboxLedger)
    has_failing_content: bool = False
    """Whether the file of a content could not be read: its message is set aside then, and that is told."""

    def note(self, message: Message, answer: Answer) -> None:
        """Note what a client was told."""
        self.sent[message.number] = message, answer

    def copy(self) -> "Ledger":
        """Return one that may be written on."""
        return Ledger(dict(self.sent), self.mailbox.copy(), self.has_failing_content)


def balance(ledger: Ledger, site: Site) -> list[str]:
    """Return what is wrong, each with the promise that it breaks, once everything has come to rest."""
    wrong = []
    books = site.books()
    if not books.balance:
        wrong.append(f"P2: the books do not balance: {books}")
    if books.open:
        wrong.append(f"P2: {books.open} recipients are open still: {books}")
    found = sort_out(site.stored(), ledger)
    wrong += found.strange
    taken = 0
    for message, answer in ledger.sent.values():
        came = found.of(message.number)
        if answer is Answer.REFUSED and any(came.values()):
            wrong.append(f"D4: message {message.number} was refused, and came: {came}")
        elif answer is Answer.TAKEN or any(came.values()):
            taken += len(message.recipients) - message.refused + message.forwards
            for what, counts in _wanted(message).items():
                if what == "notices" and ledger.has_failing_content:
                    continue
                wrong += _compare(what, message.number, came[what], counts)
        elif answer is Answer.NONE and not any(_wanted(message).values()):
            taken = -10_000  # it leaves no trace by which we could tell
    if 0 <= taken != books.accepted:
        wrong.append(f"P2: {books.accepted} recipients accepted by the books, {taken} by what came")
    wrong += ledger.mailbox.wrong
    wrong += [f"D12: left behind: {what}" for what in site.leftovers()]
    return wrong


def _wanted(message: Message) -> Mapping[str, Counter[str]]:
    return {
        "copies": Counter(message.copies),
        "reports": Counter(message.reports),
        "notices": Counter(postmaster=message.notices),
    }


def _compare(what: str, number: int, found: Counter[str], wanted: Counter[str]) -> Iterable[str]:
    if missing := wanted - found:
        yield f"P2: message {number} lacks {what}: {dict(missing)}"
    if surplus := found - wanted:
        yield f"P4: message {number} has {what} too many: {dict(surplus)}"


Count = dict[int, Counter[str]]


@dataclass(slots=True)
class Found:
    """What came, counted by the number of the message, and what is none of ours, or damaged."""

    copies: Count = field(default_factory=dict)
    reports: Count = field(default_factory=dict)
    notices: Count = field(default_factory=dict)
    strange: list[str] = field(default_factory=list)

    def of(self, number: int) -> Mapping[str, Counter[str]]:
        """Return what came of a message."""
        return {
            what: counts.get(number, Counter())
            for what, counts in (
                ("copies", self.copies),
                ("reports", self.reports),
                ("notices", self.notices),
            )
        }


def sort_out(stored: Iterable[Stored], ledger: Ledger) -> Found:
    """Tell copies, reports and notices apart, and which message each belongs to."""
    nameless = next((message.number for message, _ in ledger.sent.values() if not message.sender), None)
    found = Found()
    notices: Counter[bytes] = Counter()
    numbers: dict[bytes, int] = {}
    for file in stored:
        head = file.octets.partition(b"\n\n")[0]
        if head.startswith(b"X-Put: "):  # by a mail program, which looked at it (mailbox_ledger.py)
            continue
        if notice := _NOTICE.search(head):
            notices[notice[1]] += 1
            continue
        is_report = _REPORT.search(head) is not None
        match = (_REPORTED if is_report else _NUMBER).search(file.octets)
        number = int(match[1]) if match is not None else nameless if is_report else None
        if number is None or number not in ledger.sent:
            found.strange.append(f"P2: a file in {file.account} is no message of ours: {file.octets[:300]!r}")
            continue
        if is_report:
            for failed in (address.decode() for address in _FAILED_RECIPIENT.findall(file.octets)):
                found.reports.setdefault(number, Counter())[failed] += 1
            continue
        found.copies.setdefault(number, Counter())[file.account] += 1
        if queue_id := _QUEUE_ID.search(head):
            numbers[queue_id[1]] = number
        if not _is_unchanged(file.octets, ledger.sent[number][0]):
            found.strange.append(f"P1: message {number} in {file.account} is not what was sent")
    for name, count in notices.items():
        if name in numbers:
            found.notices[numbers[name]] = Counter(postmaster=count)
        else:
            found.strange.append(f"P2: a notice of a message that never came: {name!r}")
    return found


def is_unchanged_relayed(taken: bytes, message: Message) -> bool:
    """Tell whether another host got a message as it was sent, but for what goes before it."""
    if message.dropped or message.submitted:
        return taken.endswith(b"\r\n" + message.content())
    return content_of_relayed(taken) == message.content()


def _is_unchanged(stored: bytes, message: Message) -> bool:
    if message.typed:
        return stored.partition(b"\n\n")[2].replace(b"\n", b"\r\n") == message.text()
    if message.dropped or message.submitted:  # what is put before it differs from the relay's
        return stored.replace(b"\n", b"\r\n").endswith(b"\r\n" + message.content())
    return content_of(stored) == message.content()
