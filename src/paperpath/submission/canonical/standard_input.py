"""Messages as programs of this host hand them in, which need not be as strict as a client of SMTP (B-24).

For sendmail and mailto, before the canonical form. Line ends are CRLF already.
"""

import re

_FIELD = rb"[!-9;-~]++[ \t]*+:[^\r\n]*+\r\n(?>(?:[ \t][^\r\n]*+\r\n)*)"
_FIELDS = re.compile(rb"(?>(?:" + _FIELD + rb")*)")


def drop_mbox_line(octets: bytes) -> bytes:
    """Return a message without the line that begins it in an mbox file; for sendmail alone."""
    return octets.partition(b"\r\n")[2] if octets.startswith(b"From ") else octets


def split_message(octets: bytes) -> tuple[bytes, bytes]:
    """Split a message into header section and body, between which an empty line belongs.

    The header ends at the first empty line, or before the first line that is no field.
    """
    found = _FIELDS.match(octets)
    end = 0 if found is None else found.end()
    return octets[:end], octets[end:].removeprefix(b"\r\n")
