"""Which recipients the relay takes: pure (requirements C-6 to C-8, A-28; X-14).

Privileged clients may name any recipient. Normal ones may name only recipients whose domain is listed, and
Postmaster without a domain; whether we are a mail exchanger of a domain does not matter. What the post office
would refuse is refused at the door, instead of bounced to whoever it claims to be from; whether somebody is
known at a domain that is delivered here is not asked where the configuration says so.
"""

from paperpath.config.domain_table import DomainTable
from paperpath.config.intake_tables import RelayTable
from paperpath.intake.access import ServiceClass
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.routing.router import Router
from paperpath.routing.sorting import judge_recipient
from paperpath.smtp import replies


class Acceptance:
    """The relay's rule for recipients."""

    def __init__(self, table: RelayTable) -> None:
        """Index the table."""
        self._domains = DomainTable((pattern, pattern) for pattern in table.domains)
        self._checks_recipients = table.check_recipients

    def judge(self, recipient: Mailbox, router: Router, service: ServiceClass = ServiceClass.NORMAL) -> Reply:
        """Return the reply to a recipient."""
        is_ours = not recipient.domain or self._domains.find(recipient.domain) is not None
        if not is_ours and service is not ServiceClass.PRIVILEGED:
            return replies.R550_NOT_RELAYED
        if self._checks_recipients:
            return judge_recipient(router, recipient)
        return router.find_refusal(recipient) or replies.R250_RECIPIENT
