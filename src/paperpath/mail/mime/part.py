"""A message's parts as values: what each is, and where its octets lie; as octets, for whoever keeps them.

Made by structure.py. Octets are counted from the begin of the message, with CRLF.
"""

from typing import NamedTuple

import msgspec

Parameters = tuple[tuple[bytes, bytes], ...]  # names and values, as they were written, without quotes

_MESSAGES = (b"message/rfc822", b"message/global")
_VERSION = 1  # of what is packed; grows with every change of what the reader finds


class Extent(NamedTuple):
    """Octets from `begin` up to `end`."""

    begin: int
    end: int

    @property
    def octets(self) -> int:
        """How many there are."""
        return self.end - self.begin


class Token(msgspec.Struct, array_like=True, frozen=True):
    """A word with parameters."""

    value: bytes
    parameters: Parameters = ()


class Media(msgspec.Struct, array_like=True, frozen=True):
    """What the octets of a part are; names as they were written."""

    kind: bytes
    subtype: bytes
    parameters: Parameters = ()

    @property
    def name(self) -> bytes:
        """Such as `text/plain`, in lower case."""
        return self.kind.lower() + b"/" + self.subtype.lower()

    @property
    def is_multipart(self) -> bool:
        """Whether there are parts in it."""
        return self.kind.lower() == b"multipart"

    @property
    def is_message(self) -> bool:
        """Whether there is a message in it (RFC 2046 §5.2.1, RFC 6532 §3.7)."""
        return self.name in _MESSAGES


PLAIN_TEXT = Media(b"text", b"plain", ((b"charset", b"us-ascii"),))  # RFC 2045 §5.2
OPAQUE = Media(b"application", b"octet-stream")


class About(msgspec.Struct, array_like=True, frozen=True, omit_defaults=True):
    """What the header says of a part besides its type; `None` where it says nothing."""

    encoding: bytes = b"7bit"
    content_id: bytes | None = None
    description: bytes | None = None
    md5: bytes | None = None
    disposition: Token | None = None
    languages: tuple[bytes, ...] = ()
    location: bytes | None = None


class Part(msgspec.Struct, array_like=True, frozen=True):
    """A message, or a part of one.

    `header`: with the empty line that ends it, if there is one. `body`: up to the CRLF that belongs to the
    delimiter behind it; `lines`: how many line ends it has. `children`: the parts of a multipart, at least
    one; of a `message/rfc822` the message in it; else none. `envelope`: of a message the fields that tell
    from whom to whom it is and what about, as they stand; of other parts empty.
    """

    media: Media
    about: About
    header: Extent
    body: Extent
    lines: int
    children: "tuple[Part, ...]" = ()
    envelope: bytes = b""

    @property
    def is_multipart(self) -> bool:
        """Whether `children` are the parts of it."""
        return self.media.is_multipart

    @property
    def inner(self) -> "Part | None":
        """The message in a part that is one."""
        return self.children[0] if self.children and not self.is_multipart else None

    @property
    def extent(self) -> Extent:
        """Header and body."""
        return Extent(self.header.begin, self.body.end)


def pack_part(part: Part) -> bytes:
    """Write a message's structure as octets, which are ours alone."""
    return msgspec.msgpack.encode((_VERSION, part))


def unpack_part(octets: bytes) -> Part | None:
    """Read what `pack_part` wrote; `None` where another version of it did, or it is damaged."""
    try:
        version, part = _decoder.decode(octets)
    except msgspec.DecodeError:
        return None
    return part if version == _VERSION else None


_decoder = msgspec.msgpack.Decoder(tuple[int, Part])
