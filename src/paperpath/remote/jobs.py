"""What smtprcd and its relay clients say to each other: values, and their form on the channel between.

Each record is a length of four octets, then msgpack. The first record each way has the version, for a client
may be from before an upgrade. smtprcd sends jobs, and that it drains; a client sends what became of each job,
in any order. A job has all that the client needs: it never opens the maildrop, and small content goes along,
so that no read transaction spans a network wait.
"""

import struct
from collections.abc import Iterator

import msgspec

from paperpath import __version__

MOST_RECORD_OCTETS = 16 * 2**20
_LENGTH = struct.Struct("!I")

# An address is its local part, its domain; none is the null sender.
Address = tuple[str, str]


class Hello(msgspec.Struct, tag="hello", array_like=True, frozen=True):
    """Which version of Paperpath is speaking."""

    version: str = __version__


class Settings(msgspec.Struct, tag="settings", array_like=True, frozen=True):
    """The configuration from now on: the path of its file, and its text."""

    path: str
    text: str


class JobRecipient(msgspec.Struct, array_like=True, frozen=True):
    """One recipient, with what came with RCPT (RFC 3461), empty where absent.

    `ruler`: the account by whose rule it came.
    """

    address: Address
    notify: str
    orcpt: str
    ruler: Address | None = None


class JobContent(msgspec.Struct, array_like=True, frozen=True):
    """The octets, or the absolute path of the file that has them; and what they are known by (promise P1)."""

    size: int
    digest: bytes
    octets: bytes | None
    file: str | None


class Job(msgspec.Struct, tag="job", array_like=True, frozen=True):
    """One message for one destination: recipients that go together, in one transaction if the host lets us.

    `sender` is the return path; `body`, `international`, `ret` and `envid` are what came with MAIL.
    `most_connections` is this client's share of what the destination may have at once.
    """

    number: int
    destination: str
    most_connections: int
    queue_id: str
    sender: Address | None
    body: str
    international: bool
    ret: str
    envid: str
    recipients: tuple[JobRecipient, ...]
    content: JobContent


class Drain(msgspec.Struct, tag="drain", array_like=True, frozen=True):
    """Begin nothing more: give back what was not begun, finish the rest, then end."""


class Answered(msgspec.Struct, array_like=True, frozen=True):
    """What became of one recipient.

    `what`: "delivered", "deferred", "failed", or "damaged" where our content is. `host`: who said it, empty
    where we did. `takes_over`, `is_final`: as in `Delivered`.
    """

    what: str
    code: int
    status: str
    lines: tuple[str, ...]
    host: str
    takes_over: bool = False
    is_final: bool = False


class Done(msgspec.Struct, tag="done", array_like=True, frozen=True):
    """A job was carried out: one answer for each recipient, in order.

    `is_refused`: the other side broke off, or asked to be left alone, so it gets less for a while.
    """

    number: int
    answers: tuple[Answered, ...]
    is_refused: bool


class Ahead(msgspec.Struct, tag="ahead", array_like=True, frozen=True):
    """What became of some recipients of a job, by their places, while others have to wait.

    They are answered for with the others again, when the job is done.
    """

    number: int
    places: tuple[int, ...]
    answers: tuple[Answered, ...]


class Unreached(msgspec.Struct, tag="unreached", array_like=True, frozen=True):
    """No host of the destination could be spoken with. `answer` says why; it is about all its mail."""

    number: int
    answer: Answered


class Returned(msgspec.Struct, tag="returned", array_like=True, frozen=True):
    """A job was not begun."""

    number: int


FromScheduler = Hello | Settings | Job | Drain
FromClient = Hello | Ahead | Done | Unreached | Returned

_encoder = msgspec.msgpack.Encoder()
_from_scheduler: msgspec.msgpack.Decoder[FromScheduler] = msgspec.msgpack.Decoder(FromScheduler)
_from_client: msgspec.msgpack.Decoder[FromClient] = msgspec.msgpack.Decoder(FromClient)


class RecordError(Exception):
    """The other end of a channel does not speak as it should; it is from another version, or broken."""


def write_record(value: FromScheduler | FromClient) -> bytes:
    """Return a value as it goes over the channel."""
    octets = _encoder.encode(value)
    return _LENGTH.pack(len(octets)) + octets


class RecordReader:
    """Cuts what comes over a channel into records."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._octets = bytearray()

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Take octets; yield each record that is whole. Raises: RecordError."""
        buffer = self._octets
        buffer += octets
        begin = 0
        while len(buffer) - begin >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, begin)
            if length > MOST_RECORD_OCTETS:
                raise RecordError(f"a record of {length} octets is announced")
            end = begin + _LENGTH.size + length
            if len(buffer) < end:
                break
            yield bytes(buffer[begin + _LENGTH.size : end])
            begin = end
        del buffer[:begin]


def read_from_scheduler(record: bytes) -> FromScheduler:
    """Read what smtprcd sent. Raises: RecordError."""
    try:
        value = _from_scheduler.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordError(str(error)) from error
    _check_version(value)
    return value


def read_from_client(record: bytes) -> FromClient:
    """Read what a relay client sent. Raises: RecordError."""
    try:
        value = _from_client.decode(record)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RecordError(str(error)) from error
    _check_version(value)
    return value


def _check_version(value: object) -> None:
    if isinstance(value, Hello) and value.version != __version__:
        raise RecordError(f"this is version {__version__}, and the other end {value.version}")
