"""The ClientHello, read for the name of the host that the client asks for (RFC 8446 §4.1.2, RFC 6066 §3).

Used by the TLS layer, which hands every octet on to OpenSSL, unless the hello is too long: that apart, what
this module cannot read names no host. It is there because the callback of Python's ssl for that name ends
the handshake, with a traceback on standard error, where a name is not ASCII; requirement A-75 says that no
name ends it. And OpenSSL takes 128 KiB of memory as soon as a hello of that length is announced (promise P6).
The work grows with the octets alone, however they are cut into segments and records.
"""

MOST_HELLO_OCTETS = 16 * 1024  # with what wraps it; clients of today need 2 KiB

_RECORD_HEADER_OCTETS = 5
_MESSAGE_HEADER_OCTETS = 4
_HANDSHAKE = b"\x16"  # a record's type
_CHANGE_CIPHER_SPEC = b"\x14"  # another; says nothing, and may stand before a second hello (RFC 8446 §5)
_CLIENT_HELLO = b"\x01"  # a message's type
_SERVER_NAME = b"\x00\x00"  # an extension's type
_HOST_NAME = b"\x00"  # a server name's type


class HelloReader:
    """Gathers what comes first on a connection, until the ClientHello is whole or sure never to be.

    `again`: what comes after we asked for another one (HelloRetryRequest).
    """

    def __init__(self, *, again: bool = False) -> None:
        """Begin with nothing."""
        self.is_too_long = False
        self._kinds = (b"", _HANDSHAKE, _CHANGE_CIPHER_SPEC) if again else (b"", _HANDSHAKE)
        self._octets = bytearray()
        self._message = bytearray()
        self._next_record = 0

    def receive(self, octets: bytes) -> bool:
        """Take octets; tell whether no more are needed. The hello may be too long then."""
        self._octets += octets
        while not self._is_enough():
            body = self._next_record + _RECORD_HEADER_OCTETS
            end = body + int.from_bytes(self._octets[body - 2 : body])
            if len(self._octets) < max(body, end):
                self.is_too_long = len(self._octets) > MOST_HELLO_OCTETS
                return self.is_too_long
            if self._octets[self._next_record : body].startswith(_HANDSHAKE):
                self._message += self._octets[body:end]
            self._next_record = end
        return True

    @property
    def octets(self) -> bytes:
        """All that came."""
        return bytes(self._octets)

    def find_server_name(self) -> bytes:
        """Return the host's name as the client sent it, empty if there is none."""
        return find_server_name(bytes(self._message))

    def _is_enough(self) -> bool:
        message, kind = self._message, bytes(self._octets[self._next_record : self._next_record + 1])
        if not _CLIENT_HELLO.startswith(message[:1]):
            return True
        end = _MESSAGE_HEADER_OCTETS + int.from_bytes(message[1:_MESSAGE_HEADER_OCTETS])
        self.is_too_long = max(end, self._next_record) > MOST_HELLO_OCTETS
        if self.is_too_long or kind not in self._kinds:  # then the rest of it will not come
            return True
        return len(message) >= max(_MESSAGE_HEADER_OCTETS, end)


class _Fields:
    """The fields of a message, one after the other. Raises: EOFError, where they end too early."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._octets)

    def take(self, count: int) -> bytes:
        """Return the next octets."""
        field = self._octets[self._at : self._at + count]
        if len(field) < count:
            raise EOFError
        self._at += count
        return field

    def take_vector(self, length_octets: int) -> bytes:
        """Return the next field that has its own length before it."""
        return self.take(int.from_bytes(self.take(length_octets)))


def find_server_name(message: bytes) -> bytes:
    """Return the host's name in a ClientHello, empty if there is none or the message is malformed."""
    try:
        extension = _Fields(_find_extension(message, _SERVER_NAME))
        names = _Fields(extension.take_vector(2))
        while names:
            kind, name = names.take(1), names.take_vector(2)
            if kind == _HOST_NAME:
                return name
    except EOFError:
        pass
    return b""


def _find_extension(message: bytes, wanted: bytes) -> bytes:
    fields = _Fields(message)
    fields.take(_MESSAGE_HEADER_OCTETS)
    fields.take(2 + 32)  # version and random
    fields.take_vector(1)  # session
    fields.take_vector(2)  # cipher suites
    fields.take_vector(1)  # compression methods
    extensions = _Fields(fields.take_vector(2))
    while extensions:
        kind, content = extensions.take(2), extensions.take_vector(2)
        if kind == wanted:
            return content
    return b""
