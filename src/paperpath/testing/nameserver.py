"""A DNS server that answers from a script, over UDP and TCP on one port of the loopback network.

Tests run it in a thread (`with Nameserver(script) as server`) beside the programs that ask it, and people as
`python -m paperpath.testing.nameserver 127.0.0.1:5353 FILE`. A script has lines of three forms:

    example.org           MX  10 mx.example.org.
    mx.example.org        AAAA  2001:db8::1
    dead.example          !timeout
    slow.example      MX  !timeout 2

The data is as in a zone file; a name with a CNAME is followed within the script. A word behind `!` is how a
name, or one type of it, behaves: for ever, or for so many questions. A name that the script does not have is
NXDOMAIN; one that has other types is NODATA. A later script may be put in place at any time (`play`).
"""

import socket
import struct
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

TTL_S = 300
_MOST_OCTETS = 65535
_MOST_DATAGRAM = 1232
_START = ". 300 IN SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 60"


class Behaviour(Enum):
    """What a server may do other than answer."""

    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    """By UDP; TCP has the whole answer."""
    SECURE = "secure"
    """With the AD bit."""
    WRONG_ID = "wrong-id"
    WRONG_QUESTION = "wrong-question"
    GARBAGE = "garbage"
    """Octets that are no message behind the question."""
    LONE = "lone"
    """Of a CNAME, nothing that it leads to."""
    BARE = "bare"
    """Without a SOA record where there is nothing else."""


@dataclass(slots=True)
class _Turn:
    """A behaviour, and for how many questions more; `None`: for ever."""

    behaviour: Behaviour
    left: int | None


@dataclass(slots=True)
class _Script:
    """Records by name and type, and behaviours by name and type, or by name and the empty word for all."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    turns: dict[tuple[str, str], list[_Turn]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """A question that came: the name, in lower case and without the last dot, and the type's name.

    `is_recursive`: whoever asked wants the whole answer, and leaves the walk through the DNS to us.
    """

    name: str
    kind: str
    by_tcp: bool = False
    is_recursive: bool = False


class Nameserver:
    """Answers from a script, in threads of its own. `queries` has what was asked, in order."""

    def __init__(self, script: str = "", address: str = "127.0.0.1", port: int = 0) -> None:
        """Open the port. Raises: OSError; ValueError for a line that has none of the forms."""
        self._script = _parse(script)
        self._lock = threading.Lock()
        self.queries: list[Query] = []
        self._ending = False
        self._datagrams, self._listener = _open(address, port)
        self.address, self.port = self._listener.getsockname()[:2]
        self._threads = [
            threading.Thread(target=work) for work in (self._serve_datagrams, self._serve_streams)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending = True
        with suppress(OSError):  # what is asleep in these wakes up
            self._datagrams.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._datagrams.close()
        self._listener.close()

    @property
    def endpoint(self) -> str:
        """Where it answers, as the configuration writes it."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"

    def play(self, script: str) -> None:
        """Answer from another script from now on."""
        parsed = _parse(script)
        with self._lock:
            self._script = parsed

    def count(self, name: str, kind: str) -> int:
        """Tell how often something was asked."""
        return sum(1 for query in self.queries if (query.name, query.kind) == (name, kind))

    def _serve_datagrams(self) -> None:
        while not self._ending:
            octets, peer = self._datagrams.recvfrom(_MOST_OCTETS)
            answer = self._answer(octets, by_tcp=False) if peer else None
            if answer is not None:
                with suppress(BrokenPipeError):  # shut down while the answer was written: nobody waits for it
                    self._datagrams.sendto(answer, peer)

    def _serve_streams(self) -> None:
        while not self._ending:
            with suppress(OSError, EOFError):
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(5)
                    answer = self._answer(_receive(connection), by_tcp=True)
                    if answer is not None:
                        connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, octets: bytes, *, by_tcp: bool) -> bytes | None:
        try:
            query = dns.message.from_wire(octets)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return None
        name, kind = _fold(question.name.to_text()), dns.rdatatype.to_text(question.rdtype)
        with self._lock:
            is_recursive = bool(query.flags & dns.flags.RD)
            self.queries.append(Query(name, kind, by_tcp, is_recursive))
            script, behaviour = self._script, _take_turn(self._script, name, kind)
        return _Speaker(script, query, name, kind, by_tcp=by_tcp).speak(behaviour)


class _Speaker:
    """Writes one answer."""

    def __init__(
        self, script: _Script, query: dns.message.Message, name: str, kind: str, *, by_tcp: bool
    ) -> None:
        self._script = script
        self._name = name
        self._kind = kind
        self._by_tcp = by_tcp
        self._response = dns.message.make_response(query, recursion_available=True)

    def speak(self, behaviour: Behaviour | None) -> bytes | None:
        response = self._response
        if behaviour is Behaviour.TIMEOUT:
            return None
        if behaviour in (Behaviour.SERVFAIL, Behaviour.REFUSED):
            response.set_rcode(dns.rcode.from_text(behaviour.value))
        elif behaviour in (Behaviour.NXDOMAIN, Behaviour.NODATA):
            self._say_nothing(is_missing=behaviour is Behaviour.NXDOMAIN)
        elif behaviour is Behaviour.TRUNCATED and not self._by_tcp:
            response.flags |= dns.flags.TC
        else:
            self._fill(behaviour)
        return self._distort(behaviour)

    def _distort(self, behaviour: Behaviour | None) -> bytes:
        response = self._response
        if behaviour is Behaviour.SECURE:
            response.flags |= dns.flags.AD
        if behaviour is Behaviour.WRONG_ID:
            response.id ^= 1
        if behaviour is Behaviour.WRONG_QUESTION:
            response.question[0].name = dns.name.from_text("wrong.invalid.")
        octets = response.to_wire(max_size=_MOST_OCTETS)
        if behaviour is Behaviour.GARBAGE:
            octets = octets[:6] + b"\x00\x09" + octets[8:-11] + b"\xff" * 20
        if len(octets) <= _MOST_DATAGRAM or self._by_tcp:
            return octets
        for section in response.sections[1:]:
            section.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()

    def _fill(self, behaviour: Behaviour | None) -> None:
        name, seen = self._name, {""}
        while name not in seen:
            seen.add(name)
            if self._say_records(name, self._kind):
                return
            aliases = self._script.records.get((name, "CNAME"))
            if not aliases:
                break
            self._say_records(name, "CNAME")
            if behaviour is Behaviour.LONE:
                return
            name = _fold(aliases[0])
        is_known = any(known == name for known, _ in (*self._script.records, *self._script.turns))
        self._say_nothing(is_missing=not is_known, is_bare=behaviour is Behaviour.BARE)

    def _say_records(self, name: str, kind: str) -> bool:
        data = self._script.records.get((name, kind), [])
        if data:
            self._response.answer.append(dns.rrset.from_text(f"{name}.", TTL_S, "IN", kind, *data))
        return bool(data)

    def _say_nothing(self, *, is_missing: bool, is_bare: bool = False) -> None:
        if is_missing:
            self._response.set_rcode(dns.rcode.NXDOMAIN)
        if not is_bare:
            owner, ttl, group, kind, data = _START.split(" ", 4)
            self._response.authority.append(dns.rrset.from_text(owner, int(ttl), group, kind, data))


def _parse(script: str) -> _Script:
    parsed = _Script()
    for line in script.splitlines():
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 1 and words[1].startswith("!"):
            words[1:] = ["", " ".join(words[1:])]
        if len(words) < 3:
            raise ValueError(f"expected NAME [TYPE] DATA or NAME [TYPE] !BEHAVIOUR [COUNT], got {line!r}")
        name, kind, rest = words
        key = _fold(name), kind.upper()
        if rest.startswith("!"):
            word, *count = rest[1:].split()
            turn = _Turn(Behaviour(word), int(count[0]) if count else None)
            parsed.turns.setdefault(key, []).append(turn)
        else:
            parsed.records.setdefault(key, []).append(rest)
    return parsed


def _take_turn(script: _Script, name: str, kind: str) -> Behaviour | None:
    """Return how it behaves this time: the first of its behaviours that is not used up."""
    for key in ((name, kind), (name, "")):
        for turn in script.turns.get(key, []):
            if turn.left is None:
                return turn.behaviour
            if turn.left > 0:
                turn.left -= 1
                return turn.behaviour
    return None


def _fold(name: str) -> str:
    return name.lower().removesuffix(".")


def _open(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Open one port for both, which for port 0 is one that the other protocol has free as well."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(20):
        datagrams = socket.socket(family, socket.SOCK_DGRAM)
        datagrams.bind((address, port))
        try:
            listener = socket.create_server((address, datagrams.getsockname()[1]), family=family)
        except OSError:
            datagrams.close()
            if port:
                raise
        else:
            return datagrams, listener
    raise OSError("no port is free")


def _receive(connection: socket.socket) -> bytes:
    with connection.makefile("rb") as file:
        (length,) = struct.unpack("!H", file.read(2).ljust(2, b"\0"))
        return file.read(length)


def main() -> None:
    """Answer from a file until interrupted; say where."""
    host, _, port = sys.argv[1].rpartition(":")
    script = Path(sys.argv[2]).read_text("utf-8")
    with Nameserver(script, host.strip("[]"), int(port)) as server, suppress(KeyboardInterrupt):
        sys.stdout.write(f"answering at {server.endpoint}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
