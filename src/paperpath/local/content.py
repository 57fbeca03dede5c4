"""What local delivery looks for in the content of a message: whether it was here before. Nothing else."""

from paperpath.mail.address import AddressError, Mailbox, parse_mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.header import find_fields, header_section
from paperpath.maildrop.checked import read_unchecked
from paperpath.maildrop.values import Content

_MOST_HEADER_OCTETS = 2**20
_DELIVERED_TO = b"delivered-to"


def was_delivered_to(content: Content, address: Mailbox) -> bool:
    """Tell whether a message says that it was delivered to an address before (requirement E-16, RFC 9228).

    Of a header at most a MiB is read. Raises: DamagedError; OSError.
    """
    header = header_section(_read_beginning(content))
    return any(_is_for(value, address) for value in find_fields(header, _DELIVERED_TO))


def _read_beginning(content: Content) -> bytes:
    octets = b""
    for chunk in read_unchecked(content):
        octets += chunk
        if b"\r\n\r\n" in octets or len(octets) >= _MOST_HEADER_OCTETS:
            break
    return octets[:_MOST_HEADER_OCTETS]


def _is_for(value: bytes, address: Mailbox) -> bool:
    try:
        found = parse_mailbox(value.decode("utf-8").strip().removeprefix("<").removesuffix(">"))
    except (UnicodeDecodeError, AddressError):
        return False
    return found.local == address.local and domain_key(found.domain) == domain_key(address.domain)
