"""One message signed: it goes in as it will be sent, the fields to put above it come out (requirement I-1).

For whoever puts messages into the maildrop; the message may be cut anywhere. Whose author has no signer is
not signed, and then the body is not looked at either. A header beyond `MOST_HEADER_OCTETS` is not signed.
"""

from hashlib import sha256

from paperpath.dkim.body import make_body
from paperpath.dkim.form import Form
from paperpath.dkim.header import read_name, split_fields
from paperpath.dkim.keyring import Keyring, Signer
from paperpath.dkim.signature import choose_signed, write_signature
from paperpath.mail.domain import domain_key
from paperpath.mail.fields.addresses import parse_addresses
from paperpath.mail.fields.error import FieldError

MOST_HEADER_OCTETS = 2 * 2**20
_END = b"\r\n\r\n"


class MessageSigning:
    """Signs one message."""

    def __init__(self, keyring: Keyring, time_s: int) -> None:
        """Begin before the first octet; `time_s` is when it is signed, in seconds since 1970."""
        self._keyring = keyring
        self._time_s = time_s
        self._header: bytearray | None = bytearray()  # as long as it comes in
        self._fields: list[bytes] = []
        self._signers: tuple[Signer, ...] = ()
        self._digest = sha256()
        self._body = make_body(Form.RELAXED, self._digest.update)

    @property
    def is_done(self) -> bool:
        """Whether more octets change nothing: nobody signs this message."""
        return self._header is None and not self._signers

    def add(self, octets: bytes) -> None:
        """Take the next octets of the message, header first."""
        if self._header is not None:
            self._add_to_header(self._header, octets)
        elif self._signers:
            self._body.add(octets)

    def finish(self) -> bytes:
        """Return the fields to be put above the message, one for each signer; empty if nobody signs."""
        if self._header is not None:
            self._end_header(bytes(self._header).removesuffix(b"\r\n") + b"\r\n")
        if not self._signers:
            return b""
        self._body.finish()
        signed = choose_signed(self._fields, self._digest.digest())
        return b"".join(write_signature(signed, signer, self._time_s) for signer in self._signers)

    def _add_to_header(self, header: bytearray, octets: bytes) -> None:
        searched = max(len(header) - len(_END) + 1, 0)
        header += octets
        if header.startswith(b"\r\n"):
            end, behind = 0, 2
        elif (found := header.find(_END, searched)) >= 0:
            end, behind = found + 2, found + len(_END)
        else:
            end = behind = len(header)
        if end > MOST_HEADER_OCTETS:
            self._header = None
        elif behind > end:
            self._end_header(bytes(header[:end]))
            self.add(bytes(header[behind:]))

    def _end_header(self, header: bytes) -> None:
        self._header = None
        self._fields = split_fields(header)
        self._signers = self._keyring.find(_find_author_domain(self._fields))


def _find_author_domain(fields: list[bytes]) -> str:
    """Return the domain of the first author, in A-labels; empty where it is not certain."""
    authors = [field for field in fields if read_name(field) == b"from"]
    if len(authors) != 1:
        return ""
    try:
        value = authors[0].partition(b":")[2].removesuffix(b"\r\n")
        addresses = parse_addresses(value.decode("utf-8"))
    except (UnicodeDecodeError, FieldError):
        return ""
    first = next(addresses.mailboxes, None)
    return "" if first is None else domain_key(first.mailbox.domain)
