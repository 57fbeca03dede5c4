"""Who is connected: what a session knows of the other end, and what the ways in decide by."""

from dataclasses import dataclass
from enum import Enum

from paperpath.intake.access import ServiceClass
from paperpath.mail.address import Mailbox


class Door(Enum):
    """Where somebody came in: with TLS to be begun, with TLS from the start, or as a user of this host.

    Or through a proxy, which says in front of everything for whom it speaks; or where nobody gets service.
    """

    CLEAR = "clear"
    TLS = "tls"
    LOCAL = "local"
    PROXY = "proxy"
    PROXY_TLS = "proxy, tls"
    NULL = "null"

    @property
    def begins_with_tls(self) -> bool:
        """Whether nothing of SMTP is said before TLS is in force."""
        return self in (Door.TLS, Door.PROXY_TLS)

    @property
    def is_for_proxies(self) -> bool:
        """Whether nobody may come in but proxies."""
        return self in (Door.PROXY, Door.PROXY_TLS)


@dataclass(slots=True)
class Guest:
    """The other end of one session.

    `address` is empty for a user of this host, who has a `uid` instead, and a `login` if there is one of that
    number. `account`: who logged in. `certified`: the addresses in a certificate that was verified.
    """

    address: str
    service: ServiceClass = ServiceClass.NORMAL
    uid: int | None = None
    login: str = ""
    account: Mailbox | None = None
    certified: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells clients apart where they are counted; no address is such a name of a user."""
        return self.address if self.uid is None else f"uid {self.uid}"

    @property
    def is_admitted(self) -> bool:
        """Whether service is granted without a login: to users of this host, and where the rules say so."""
        return self.uid is not None or self.service is ServiceClass.PRIVILEGED

    @property
    def user(self) -> str:
        """Who hands in mail, for the books: an account, or a user of this host; empty if it is not known."""
        if self.account is not None:
            return str(self.account)
        return "" if self.uid is None else self.login or f"uid {self.uid}"
