"""Who has come: one client at the moment of its greeting, as the beginning hands it to the session."""

from dataclasses import dataclass

from paperpath.intake.chronicle import Chronicle
from paperpath.intake.guest import Guest
from paperpath.intake.lookup import Lookup
from paperpath.mail.envelope import Client
from paperpath.mail.shown import show_domain
from paperpath.service.log import Log
from paperpath.service.wire import Wire


@dataclass(slots=True)
class Arrival:
    """A client that has a place; `lookup` where lists are configured.

    `network` is as what it was counted in, whoever the client may turn out to be later.
    """

    wire: Wire
    guest: Guest
    port: int
    network: str
    log: Log
    chronicle: Chronicle
    lookup: Lookup | None

    def describe(self) -> Client:
        """Return what an envelope says of a client that has not said anything."""
        guest = self.guest
        return Client(guest.address, self.port, "", "SMTP", service=guest.service.value, account=guest.user)

    def note_tls(self) -> None:
        """Tell how TLS came to be in force; who a verified certificate says it is, the client is."""
        facts = self.wire.tls_facts
        if facts is not None:
            name = show_domain(facts.server_name)
            self.log.info("TLS", version=facts.version, cipher=facts.cipher, name=name)
            self.guest.certified = facts.client_addresses
