"""Routing decisions, pure: an address in, where it goes out. The same code serves every asker.

Every domain is remote unless a route says that it is local (requirement E-1). A postmaster always resolves to
somebody: one without a domain, or at a local domain where nobody of that name has a mailbox, is the one whom
the configuration names (RFC 5321 §4.5.1, requirement E-4).
"""

from dataclasses import dataclass

from paperpath.accounts.file import Accounts
from paperpath.config.tables import PostOfficeTable
from paperpath.mail.address import Mailbox, domain_key, parse_mailbox
from paperpath.maildrop.values import Transport
from paperpath.routing.domain_table import DomainTable

_LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where an address goes: the address to deliver to, by which way, and the destination's name."""

    address: Mailbox
    transport: Transport
    destination: str


class Routes:
    """The routing tables of one moment."""

    def __init__(self, table: PostOfficeTable) -> None:
        """Index the table."""
        self._postmaster = parse_mailbox(table.postmaster)
        self._vias = DomainTable((entry.domain, entry.via) for entry in table.route)

    def is_local(self, address: Mailbox) -> bool:
        """Tell whether mail for an address stays here. Bare postmaster does, by name if not by domain."""
        return not address.domain or self._vias.find(address.domain) == _LOCAL

    def resolve(self, address: Mailbox, accounts: Accounts) -> Resolution:
        """Decide where an address goes."""
        if self._means_our_postmaster(address, accounts):
            address = self._postmaster
        transport = Transport.LOCAL if self.is_local(address) else Transport.REMOTE
        return Resolution(address, transport, domain_key(address.domain))

    def has_mailbox(self, address: Mailbox, accounts: Accounts) -> bool:
        """Tell whether a local address has a mailbox, or somebody who answers for it."""
        return accounts.find(address) is not None or self._means_our_postmaster(address, accounts)

    def _means_our_postmaster(self, address: Mailbox, accounts: Accounts) -> bool:
        return address.is_postmaster and self.is_local(address) and accounts.find(address) is None
