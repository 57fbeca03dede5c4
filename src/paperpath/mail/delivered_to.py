"""To whom a message says that it was delivered before: its Delivered-To fields (RFC 9228, requirement E-16).

For the ways into mailboxes, ours and those of LMTP, which find by it what goes in a circle. Pure.
"""

from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.header import find_fields
from paperpath.mail.reply import make_reply

DeliveryKey = tuple[str, str]
"""What is equal for the spellings of one address; a local part has only one."""

R554_CIRCLE = make_reply(
    554, "5.4.6", "The message was delivered to this address before: it goes in a circle"
)

_DELIVERED_TO = b"delivered-to"


def delivery_key(address: Mailbox) -> DeliveryKey:
    """Return the key of an address."""
    return address.local, domain_key(address.domain)


def read_delivered_to(header: bytes) -> frozenset[DeliveryKey]:
    """Return the keys of all addresses that a header section names; what is no address is passed over."""
    return frozenset(key for value in find_fields(header, _DELIVERED_TO) if (key := _read(value)) is not None)


def _read(value: bytes) -> DeliveryKey | None:
    try:
        return delivery_key(parse_mailbox(value.decode("utf-8").strip().removeprefix("<").removesuffix(">")))
    except (UnicodeDecodeError, AddressError):
        return None
