"""Which recipients the relay takes: pure (requirements C-6 to C-8, A-28; X-14).

Privileged clients may name any recipient. Normal ones may name only recipients whose domain is listed, and
Postmaster without a domain; whether we are a mail exchanger of a domain does not matter. A recipient at a
domain that is delivered here must have a mailbox, so that mail for nobody is refused at the door instead of
bounced to whoever it claims to be from.
"""

from paperpath.accounts.file import Accounts
from paperpath.config.tables import RelayTable
from paperpath.intake.access import ServiceClass
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.routing.domain_table import DomainTable
from paperpath.routing.routes import Routes
from paperpath.smtp import replies


class Acceptance:
    """The relay's rule for recipients."""

    def __init__(self, table: RelayTable, routes: Routes) -> None:
        """Index the table."""
        self._domains = DomainTable((pattern, pattern) for pattern in table.domains)
        self._routes = routes

    def judge(
        self, recipient: Mailbox, accounts: Accounts, service: ServiceClass = ServiceClass.NORMAL
    ) -> Reply:
        """Return the reply to a recipient."""
        is_ours = not recipient.domain or self._domains.find(recipient.domain) is not None
        if not is_ours and service is not ServiceClass.PRIVILEGED:
            return replies.R550_NOT_RELAYED
        if self._routes.is_local(recipient) and not self._routes.has_mailbox(recipient, accounts):
            return replies.R550_NO_SUCH_MAILBOX
        return replies.R250_RECIPIENT
