"""The relay as a way in: any sender, recipients by the rule of acceptance, content as it came."""

from collections.abc import Sequence

from paperpath.config.tables import Configuration
from paperpath.intake.access_file import open_access
from paperpath.intake.budget import SpoolBudget
from paperpath.intake.guest import Guest
from paperpath.intake.reception import RelayReception
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Envelope
from paperpath.mail.reply import Reply
from paperpath.mail.trace import Stamp
from paperpath.maildrop.interface import Maildrop
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.files import RoutingFiles
from paperpath.service.log import Log
from paperpath.smtp import replies


class RelayWayIn:
    """Decides for smtprd; see `intake.way_in.WayIn`."""

    def __init__(
        self, configuration: Configuration, maildrop: Maildrop, budget: SpoolBudget, log: Log
    ) -> None:
        """Read accounts and aliases. Raises: ServiceError, where that cannot be."""
        self._files = RoutingFiles(configuration)
        self._acceptance = Acceptance(configuration.relay)
        self.access = open_access(configuration.relay, "relay", log)
        self._maildrop = maildrop
        self._budget = budget
        self._log = log

    def welcome(self, address: str, uid: int | None, names: Sequence[str] = ()) -> Guest:
        """Say what service a client gets."""
        return Guest(address, self.access.read().classify(address, names), uid)

    def judge_sender(self, sender: Mailbox | None, guest: Guest) -> tuple[Reply, Mailbox | None]:
        """Take any sender (requirements C-10, C-15)."""
        return replies.R250_SENDER, sender

    def judge_recipient(self, recipient: Mailbox, guest: Guest) -> tuple[Reply, Mailbox]:
        """Return the reply to a recipient, which stays as it is (requirement C-3)."""
        router = self._files.read()
        for trouble in self._files.take_troubles():
            self._log.error("file unreadable, what it said before stays in force", reason=trouble)
        return self._acceptance.judge(recipient, router, guest.service), recipient

    def receive(self, envelope: Envelope, stamp: Stamp, guest: Guest) -> RelayReception:
        """Begin with a message."""
        return RelayReception(self._maildrop, self._budget, envelope, stamp)
