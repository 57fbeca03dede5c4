"""Submission as a way in: who may send, addresses completed, content put into canonical form (RFC 6409).

Whoever has service may send as anybody to anybody, the null sender included (requirements B-3, B-5), unless
the configuration binds senders to their accounts.
"""

import pwd
from collections.abc import Sequence

from paperpath.accounts.secrets import NO_LIMITS, Limits
from paperpath.accounts.verifier import Ruling, Verifier
from paperpath.config.intake_tables import SubmissionTable
from paperpath.intake.access_file import open_access
from paperpath.intake.guest import Guest
from paperpath.mail.address import Mailbox, domain_key
from paperpath.mail.envelope import Envelope
from paperpath.mail.local_part import fold_local
from paperpath.mail.reply import Reply, make_reply
from paperpath.mail.trace import Stamp
from paperpath.routing.files import RoutingFiles
from paperpath.service.log import Log
from paperpath.smtp import replies
from paperpath.submission.acceptance import judge_submitted
from paperpath.submission.canonical.envelope import complete_sender
from paperpath.submission.canonical.mailboxes import own_mailbox
from paperpath.submission.reception import R550_SUSPENDED, Site, SubmissionReception, Submitter

R550_NOT_YOUR_ADDRESS = make_reply(550, "5.7.1", "Send as the address that you log in with")


class SubmissionWayIn:
    """Decides for smtpsd; see `intake.way_in.WayIn`."""

    def __init__(
        self, table: SubmissionTable, site: Site, files: RoutingFiles, verifier: Verifier, log: Log
    ) -> None:
        """Take the rules of one configuration."""
        self._binds_senders = table.own_senders
        self.access = open_access(table, "submission", log)
        self._site = site
        self._files = files
        self._verifier = verifier
        self._log = log

    def welcome(self, address: str, uid: int | None, names: Sequence[str] = ()) -> Guest:
        """Say what service a client gets; a user of this host is known by name."""
        if uid is not None:
            return Guest("", uid=uid, login=_find_login(uid))
        return Guest(address, self.access.read().classify(address, names))

    def judge_sender(self, sender: Mailbox | None, guest: Guest) -> tuple[Reply, Mailbox | None]:
        """Complete a sender; refuse one of an account that is no longer let in, or not its own."""
        if self._find_limits(guest) is None:
            return R550_SUSPENDED, sender
        completed = None if sender is None else complete_sender(sender, self._site.rules)
        if isinstance(completed, Reply):
            return completed, sender
        if self._binds_senders and not self._is_own(sender, completed, guest):
            return R550_NOT_YOUR_ADDRESS, sender
        return replies.R250_SENDER, completed

    def judge_recipient(self, recipient: Mailbox, guest: Guest) -> tuple[Reply, Mailbox]:
        """Complete a recipient; refuse one whom the post office would refuse."""
        router = self._files.read()
        for trouble in self._files.take_troubles():
            self._log.error("file unreadable, what it said before stays in force", reason=trouble)
        return judge_submitted(recipient, self._site.rules, router)

    def receive(self, envelope: Envelope, stamp: Stamp, guest: Guest) -> SubmissionReception:
        """Begin with a message."""
        submitter = Submitter(guest, lambda: self._find_limits(guest), self._find_identity(guest))
        return SubmissionReception(self._site, envelope, stamp, submitter)

    def _find_limits(self, guest: Guest) -> Limits | None:
        """Return what a guest may send in a day; `None` where its account would not be let in again.

        So it is with an account that is suspended, and with one that has logged in and is gone.
        """
        identity = self._find_identity(guest)
        secret = None if identity is None else self._verifier.find_secret(identity)
        if secret is not None:
            return None if secret.is_suspended else secret.limits
        if guest.account is None or self._verifier.admit(str(guest.account)).ruling is Ruling.ACCEPTED:
            return NO_LIMITS
        return None

    def _find_identity(self, guest: Guest) -> Mailbox | None:
        """Return who it is, as far as we know it: requirement B-12's identity."""
        if guest.account is not None or guest.uid is None:
            return guest.account
        return own_mailbox(guest.uid, guest.login, self._site.rules.domain)

    def _is_own(self, sender: Mailbox | None, completed: Mailbox | None, guest: Guest) -> bool:
        """Tell whether a sender is who sends, as typed or as it goes out; the null sender is everybody's."""
        identity = self._find_identity(guest)
        if completed is None or identity is None:
            return True
        return _make_key(identity) in (_make_key(completed), sender and _make_key(sender))


def _make_key(mailbox: Mailbox) -> tuple[str, str]:
    return fold_local(mailbox.local), domain_key(mailbox.domain)


def _find_login(uid: int) -> str:
    """Return the name of a user of this host, empty where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
