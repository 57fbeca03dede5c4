"""What local delivery does with the content of a message: whether it was here before, and what goes on top.

Called by the agents, in threads.
"""

from collections.abc import Iterator

from paperpath.local.findings import FindingsByRecipient, put_on_top
from paperpath.mail.address import Mailbox
from paperpath.mail.delivered_to import delivery_key, read_delivered_to
from paperpath.mail.header import header_section, remove_fields
from paperpath.mail.trace import delivered_to_field, return_path_field
from paperpath.maildrop.checked import read_checked, read_unchecked
from paperpath.maildrop.values import Claim, Content
from paperpath.routing.forwards import find_ruler

_MOST_HEADER_OCTETS = 2**20
_RETURN_PATH = b"return-path"


def read_marked(claim: Claim, findings: FindingsByRecipient) -> Iterator[bytes]:
    """Give what an agent delivers, lines ending with CRLF: Return-Path and Delivered-To, then the content.

    Between them stands what was found of its authentication, if anybody looked.
    Raises: DamagedError; OSError.
    """
    content = without_return_path(read_checked(claim.message.content))
    if (found := findings.get(claim.recipient_id)) is not None:
        content = put_on_top(content, found)
    head = return_path_field(claim.return_path) + delivered_to_field(used_address(claim))
    yield head + next(content, b"")  # in one write, for a message is small most often
    yield from content


def used_address(claim: Claim) -> Mailbox:
    """Return the address that a delivery is to.

    A program or a file that an alias names has none: there it is the one that was accepted.
    """
    return claim.address if claim.address.domain else claim.accepted_address


def without_return_path(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give content without the Return-Path fields of earlier deliveries (RFC 5321 §4.4, requirement F-1).

    A header that does not end within a MiB is left as it is.
    """
    beginning = next(chunks, b"")
    while not _has_whole_header(beginning) and (chunk := next(chunks, b"")):
        beginning += chunk
    if len(header := header_section(beginning)) <= _MOST_HEADER_OCTETS:
        beginning = remove_fields(header, _RETURN_PATH) + beginning[len(header) :]
    yield beginning
    yield from chunks


def goes_in_circle(claim: Claim) -> bool:
    """Tell whether a message says that it was before where it is to be delivered now (requirement E-16).

    That is at the address, or at the account by whose rule it is there, however that is spelt in the address.
    Raises: DamagedError; OSError.
    """
    ruler = find_ruler(claim.expanded_via)
    here = (used_address(claim),) if ruler is None else (used_address(claim), ruler)
    return was_delivered_to(claim.message.content, *here)


def was_delivered_to(content: Content, *addresses: Mailbox) -> bool:
    """Tell whether a message says that it was delivered to one of some addresses before (RFC 9228).

    Of a header at most a MiB is read. Raises: DamagedError; OSError.
    """
    before = read_delivered_to(header_section(_read_beginning(content)))
    return any(delivery_key(address) in before for address in addresses)


def _read_beginning(content: Content) -> bytes:
    octets = b""
    for chunk in read_unchecked(content):
        octets += chunk
        if _has_whole_header(octets):
            break
    return octets[:_MOST_HEADER_OCTETS]


def _has_whole_header(octets: bytes) -> bool:
    """Tell whether it takes no more octets to know the header, or to know that it is too long."""
    return b"\r\n\r\n" in octets or octets.startswith(b"\r\n") or len(octets) > _MOST_HEADER_OCTETS
