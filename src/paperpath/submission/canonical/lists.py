"""The lists of addresses in a header: read, and written anew (RFC 5322 §3.4, §3.6.2).

Called by the steps that look at such fields.
"""

from collections.abc import Sequence

from paperpath.mail.fields.address_text import encode_names, fold_addresses
from paperpath.mail.fields.addresses import AddressList, Group, Named, parse_addresses
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.glance import are_canonical_addresses
from paperpath.submission.canonical.refusals import refuse_field
from paperpath.submission.canonical.section import Field

ADDRESS_KEYS = frozenset(
    name for bare in (b"from", b"sender", b"reply-to", b"to", b"cc") for name in (bare, b"resent-" + bare)
)
MOST_COMMAS = 10_000  # of a list that is not canonical: to read one costs some 30 microseconds an address
_NOTHING = b" \t\r\n,"


def is_empty_list(field: Field) -> bool:
    """Tell whether nothing stands in a field, or only commas between nothing."""
    return not field.value.strip(_NOTHING)


def check_list(field: Field) -> None:
    """Make sure that a field can be read by itself, or is empty. Raises: CanonicalError."""
    if not are_canonical_addresses(field.value) and not is_empty_list(field):
        read_list(field)


def read_list(field: Field) -> AddressList:
    """Read a field, which is ASCII or UTF-8. Raises: CanonicalError."""
    if field.value.count(b",") + field.value.count(b";") > MOST_COMMAS:
        raise refuse_field(field.shown, f"The list is too long; it has more than {MOST_COMMAS} commas")
    try:
        return parse_addresses(field.value.decode("utf-8"))
    except FieldError as error:
        raise refuse_field(field.shown, str(error)) from None


def write_list(field: Field, addresses: Sequence[Named | Group], *, international: bool) -> bytes:
    """Write the octets of a whole field anew, without SMTPUTF8 in ASCII. Raises: CanonicalError."""
    written = addresses if international else tuple(map(encode_names, addresses))
    try:
        return fold_addresses(field.name, written)
    except FieldError as error:
        raise refuse_field(field.shown, str(error)) from None
