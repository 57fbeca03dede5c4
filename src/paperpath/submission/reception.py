"""One submitted message on its way into the maildrop, in canonical form.

Used by the session, as the relay's reception is. Header and body are kept apart until the end of the content;
then the header is put into canonical form, and our Received field, the header and the body are written in one
go: at once where that is short, in a thread where it is not, so that nobody else waits (RFC 6409 §8).
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from paperpath.accounts.secrets import NO_LIMITS, Limits
from paperpath.accounts.usage import Excess, Usage
from paperpath.dkim.keyring import Keyring
from paperpath.dkim.signing import MessageSigning
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.deposit import Deposit, describe_failure
from paperpath.intake.guest import Guest
from paperpath.intake.hops import read_message_id
from paperpath.intake.reception import MOST_HOPS
from paperpath.intake.way_in import Stored
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Envelope
from paperpath.mail.header import count_fields
from paperpath.mail.reply import make_reply
from paperpath.mail.trace import Stamp, submission_field, submitted_field
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import Origin
from paperpath.smtp import replies
from paperpath.submission.canonical.form import canonicalize
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Submitted
from paperpath.submission.draft import Draft

R450_DAILY_MESSAGES = make_reply(450, "4.7.1", "Your account has sent as many messages as it may in a day")
R450_DAILY_RECIPIENTS = make_reply(
    450, "4.7.1", "Your account has written to as many new recipients as it may in a day"
)
R550_SUSPENDED = make_reply(550, "5.7.13", "Your account is suspended")
_EXCESSES = {Excess.MESSAGES: R450_DAILY_MESSAGES, Excess.NEW_RECIPIENTS: R450_DAILY_RECIPIENTS}
_LONG_HEADER_OCTETS = 64 * 1024  # what takes milliseconds is for a thread


@dataclass(frozen=True, slots=True)
class Site:
    """What all receptions of one configuration share. `folder`: where long bodies wait."""

    maildrop: Maildrop
    budget: SpoolBudget
    usage: Usage
    rules: CanonicalRules
    folder: Path
    hides_clients: bool
    keyring: Keyring = field(default_factory=Keyring)


@dataclass(frozen=True, slots=True)
class Submitter:
    """Who hands a message in, and who that is, if it is known.

    `find_limits` says what it may send in a day by now, `None` where it is no longer let in.
    """

    guest: Guest
    find_limits: Callable[[], Limits | None]
    identity: Mailbox | None = None


class SubmissionReception:
    """Collects one message and hands it over; see `intake.way_in.Reception`."""

    origin = Origin.SUBMISSION

    def __init__(self, site: Site, envelope: Envelope, stamp: Stamp, submitter: Submitter) -> None:
        """Begin before the first octet."""
        self.envelope = envelope
        self.changes: Sequence[str] = ()
        self.unique = ""
        """A key under which the message is taken only once, to be set before `store`; empty for none."""
        self._site = site
        self._stamp = stamp
        self._submitter = submitter
        self._draft = Draft(site.folder)
        self._content = site.maildrop.new_content(stamp.queue_id)
        self._taken = 0  # octets of the budget
        self._message_id = ""
        self._failure: Exception | None = None

    @property
    def queue_id(self) -> str:
        """The id under which the message will be known."""
        return self._stamp.queue_id

    @property
    def message_id(self) -> str:
        """The message's own id, once it has one."""
        return self._message_id

    def add(self, octets: bytes) -> None:
        """Take a chunk of content."""
        if self._failure is None:
            try:
                self._site.budget.take(len(octets))
                self._taken += len(octets)
                self._draft.add(octets)
            except Exception as error:  # noqa: BLE001 - kept for the one reply
                self._failure = error
                self.discard()

    def discard(self) -> None:
        """Give the message up; nothing of it stays."""
        self._content.discard()
        self._end()

    def store(self, done: Callable[[Stored], None]) -> None:
        """Put the message into canonical form and the maildrop, then call `done`."""
        self._done = done
        if self._failure is not None:
            self._finish(describe_failure(self._failure))
        elif (limits := self._submitter.find_limits()) is None:  # a message may take long to come in
            self._finish(Stored(R550_SUSPENDED))
        elif self._takes_time(limits):
            writing = asyncio.get_running_loop().run_in_executor(None, self._write, limits)
            writing.add_done_callback(lambda written: self._hand_over(written.result()))
        else:
            self._hand_over(self._write(limits))

    def _takes_time(self, limits: Limits) -> bool:
        draft = self._draft
        return draft.body.is_in_file or draft.header_octets > _LONG_HEADER_OCTETS or limits != NO_LIMITS

    def _write(self, limits: Limits) -> Stored | None:
        """Write the content, in whatever thread; return why not, if it cannot be taken."""
        try:
            canonical = self._make_canonical()
            if (excess := self._find_excess(limits)) is not None:
                return Stored(_EXCESSES[excess])
            self._write_content(canonical)
        except CanonicalError as error:
            return Stored(error.reply)
        except Exception as error:  # noqa: BLE001 - whatever it was, the client is owed its one reply
            return describe_failure(error)
        return None if self._hops < MOST_HOPS else Stored(replies.R554_LOOP)

    def _make_canonical(self) -> Canonical:
        """Put the header into canonical form. Raises: CanonicalError."""
        facts, parameters = self._draft.finish(), self.envelope.parameters
        submitted = Submitted(
            self.envelope.sender,
            self._stamp.arrived,
            self._stamp.queue_id,
            self._submitter.identity,
            international=parameters.international,
        )
        canonical = canonicalize(self._draft.header, facts, submitted, self._site.rules)
        self._hops = count_fields(canonical.header, b"received")
        self._message_id = read_message_id(canonical.header)
        self.changes = tuple(map(str, canonical.changes))
        body = _name_body(parameters.body, canonical)
        if body != parameters.body:
            self.envelope = replace(self.envelope, parameters=replace(parameters, body=body))
        return canonical

    def _find_excess(self, limits: Limits) -> Excess | None:
        """Count the message, and say which limit it exceeds. Raises: OSError."""
        identity = self._submitter.identity
        if identity is None or limits == NO_LIMITS:
            return None
        recipients = [recipient.address for recipient in self.envelope.recipients]
        return self._site.usage.take(identity, limits, recipients, time.time())

    def _write_content(self, canonical: Canonical) -> None:
        """Write trace, header and body. Raises: StorageError."""
        write = self._content.write
        header = canonical.header + (b"\r\n" if self._draft.has_separator else b"")
        write(self._sign(header, canonical) + self._make_trace() + header)
        for octets in self._read_body(canonical):
            write(octets)

    def _sign(self, header: bytes, canonical: Canonical) -> bytes:
        """Return the signatures of what will be written, trace apart. Raises: StorageError.

        They stand above it, as the trace field does that they are (RFC 6376 §3.5); our Received field is not
        signed, so they are good whatever becomes of it.
        """
        if self._site.keyring.is_empty:
            return b""
        signing = MessageSigning(self._site.keyring, int(self._stamp.arrived.timestamp()))
        signing.add(header)
        if not signing.is_done:
            for octets in self._read_body(canonical):
                signing.add(octets)
        return signing.finish()

    def _read_body(self, canonical: Canonical) -> Iterator[bytes]:
        """Give the body as it is written, as often as it is asked for. Raises: StorageError."""
        if canonical.encoder is None:
            yield from self._draft.body.read()
            return
        encoder = canonical.encoder.renew()
        for octets in self._draft.body.read():
            yield encoder.encode(octets)
        yield encoder.finish()

    def _make_trace(self) -> bytes:
        client, guest = self.envelope.client, self._submitter.guest
        if guest.uid is not None:
            return submitted_field(guest.uid, guest.login, self._stamp, client.protocol)
        return submission_field(client, self._stamp, hides_client=self._site.hides_clients)

    def _hand_over(self, trouble: Stored | None) -> None:
        if trouble is not None:
            self._finish(trouble)
            return
        deposit = Deposit(self._site.maildrop, self.envelope, self._stamp, self.origin, self.unique)
        deposit.store(self._content, self._finish)

    def _finish(self, stored: Stored) -> None:
        if stored.reply.is_positive:
            self._end()
        else:
            self.discard()
        self._done(stored)

    def _end(self) -> None:
        self._draft.close()
        self._site.budget.give_back(self._taken)
        self._taken = 0


def _name_body(declared: str, canonical: Canonical) -> str:
    """Return the BODY that the message goes on with: what it is, whatever the client said (RFC 6152 §3)."""
    if canonical.is_eight_bit:
        return "8BITMIME"
    return "" if declared == "8BITMIME" else declared
