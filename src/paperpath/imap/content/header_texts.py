"""Header fields as SEARCH compares them, in octets to be kept beside a message: so no file need be opened.

Used by text_search.py and search.py. Behind a version each field is a line: LF, its name, a colon, its value
as it is shown, folded as what is looked for is. Names have no colon, and no value has a line end, for it is
shown without. Fields that are long, and that nobody looks for, are left out.
"""

from paperpath.imap.content.needle import fold
from paperpath.mail.charsets import decode_octets
from paperpath.mail.fields.shown_words import decode_words
from paperpath.mail.mime.fields import read_fields

HeaderTexts = bytes

_VERSION = b"1"  # grows with every change of what is left out, or how values are compared

LEFT_OUT = frozenset(
    (
        b"arc-authentication-results",
        b"arc-message-signature",
        b"arc-seal",
        b"authentication-results",
        b"dkim-signature",
        b"received",
        b"received-spf",
        b"x-google-dkim-signature",
    )
)


def write_header_texts(header: bytes) -> HeaderTexts:
    """Write the fields of a header."""
    lines = [
        b"\n%b:%b" % (field.name, show_folded(field.value).encode("utf-8", "replace"))
        for field in read_fields(header)
        if field.name not in LEFT_OUT
    ]
    return b"".join((_VERSION, *lines, b"\n"))


def is_of_this_version(texts: HeaderTexts) -> bool:
    """Tell whether texts that were kept are what would be written today."""
    return texts.startswith(_VERSION)


def has_text(texts: HeaderTexts, name: bytes, folded: bytes) -> bool:
    """Tell whether a text stands in a field of a name, in lower case, that is not left out."""
    if folded not in texts:
        return False
    mark = b"\n%b:" % name
    begin = texts.find(mark)
    while begin >= 0:
        begin += len(mark)
        end = texts.index(b"\n", begin)
        if texts.find(folded, begin, end) >= 0:
            return True
        begin = texts.find(mark, end)
    return False


def first_text(texts: HeaderTexts, name: bytes) -> bytes | None:
    """Return what stands in the first field of a name; `None` where there is none."""
    _, mark, rest = texts.partition(b"\n%b:" % name)
    return rest.partition(b"\n")[0] if mark else None


def show_folded(value: bytes) -> str:
    """Return a value as it is compared."""
    return fold(decode_words(decode_octets(value)))
