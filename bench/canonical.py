"""What the canonical form costs: `.venv/bin/python -m bench.canonical [options]`.

Messages of 4 KiB with 25 fields, one that needs nothing and some that need something, pass through the scan
of their body and the canonical form of their header; then bodies of 50 MiB pass through scan and encoder in
chunks, as they do in smtpsd. Printed is the processor time of each, and for the big ones the memory allocated
at most. It runs in one process and uses no other program.
"""

import argparse
import base64
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from bench.command import make_parser, positive, progress, run_command
from bench.measure import Spread, spread, table
from paperpath.config.domain import DomainPattern
from paperpath.mail.address import Mailbox
from paperpath.submission.canonical.body import BodyScan
from paperpath.submission.canonical.form import canonicalize
from paperpath.submission.canonical.values import Canonical, CanonicalRules, Masquerade, Submitted

BAR_US = 150.0
CHUNK_OCTETS = 64 * 1024
EXAMPLE = """\
example:
  python -m bench.canonical --rounds 9 --messages 2000
"""

SUBMITTED = Submitted(Mailbox("joe", "here.example"), datetime(2026, 11, 23, 9, 55, 6, tzinfo=UTC), "a1b2c3")
RULES = CanonicalRules("mx.here.example", "here.example", is_known="joe".__eq__)
MASQUERADING = CanonicalRules(
    "mx.here.example",
    "here.example",
    is_known="joe".__eq__,
    masquerade=Masquerade(
        (DomainPattern(".here.example"),), "here.example", {"u": Mailbox("U", "here.example")}
    ),
)
HEADER = b"""\
Received: from client.here.example ([192.0.2.1])
 by mx.here.example with ESMTPSA id 01J9ZD3V7F8Q2KX4;
 Mon, 23 Nov 2026 09:55:06 +0100
Date: Mon, 23 Nov 2026 09:55:06 +0100
From: Joe Smith <joe.smith@here.example>
Reply-To: "Smith, Joe" <joe@here.example>
To: Mary Major <mary@else.example>, "A. N. Other" <other@third.example>,
 nobody@fourth.example
Cc: list@lists.else.example
Message-ID: <8b7f2a1c-5d3e-4f6a-9c1b-2e8d7a6f5b4c@here.example>
In-Reply-To: <20261122181500.GA1234@else.example>
References: <20261120101010.GA1111@else.example>
 <20261121121212.GA2222@else.example>
 <20261122181500.GA1234@else.example>
Subject: Re: minutes of the meeting on Thursday, and what was left over from the one before
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8; format=flowed
Content-Transfer-Encoding: 7bit
Content-Language: en-GB
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0
X-Mailer: example
X-Priority: 3
Organization: An organization of some size
List-Id: A list of minutes <minutes.lists.else.example>
List-Unsubscribe: <mailto:minutes-request@lists.else.example?subject=unsubscribe>
Precedence: list
Autocrypt: addr=joe.smith@here.example; prefer-encrypt=mutual
X-Spam-Status: No, score=-2.9 required=5.0 tests=ALL_TRUSTED,BAYES_00
Thread-Topic: minutes
Thread-Index: AdmXk1nVJx0hYQ2xT1GqkLw5Vw==
""".replace(b"\n", b"\r\n")  # fmt: skip
LINE = b"The quick brown fox jumps over the lazy dog, and none of its lines is long.\r\n"
SMALL_BODY = (LINE * 60)[: 4096 - len(HEADER) - 4] + b"\r\n"


@dataclass(frozen=True, slots=True)
class Small:
    """What one message of 4 KiB cost: microseconds for the header and for the scan of the body."""

    name: str
    fields: int
    changes: int
    form_us: Spread
    scan_us: Spread


@dataclass(frozen=True, slots=True)
class Big:
    """What a body of 50 MiB cost: seconds to scan and to encode, and octets held at most."""

    name: str
    scan_s: Spread
    encode_s: Spread | None
    most_octets: int


def small_cases() -> Iterator[tuple[str, bytes, CanonicalRules]]:
    """Headers by what they need."""
    yield "needs nothing", HEADER, RULES
    yield "masquerading, needs nothing", HEADER, MASQUERADING
    masked = HEADER.replace(b"<joe.smith@here", b"<joe.smith@host1.here")
    yield "masqueraded", masked, MASQUERADING
    yield (
        "no Date, no Message-ID",
        HEADER.replace(b"\r\nDate", b"\r\nX-D").replace(b"\r\nMessage", b"\r\nX"),
        RULES,
    )
    yield (
        "a Bcc, a date in obsolete form",
        HEADER.replace(b"+0100\r\nFrom", b"MET\r\nBcc: a@b.example\r\nFrom"),
        RULES,
    )
    yield "names in UTF-8", HEADER.replace(b"Mary Major", "Märy Majör".encode()), RULES


def big_bodies(octets: int) -> Iterator[tuple[str, bytes, Callable[[], Iterator[bytes]]]]:
    """Headers, and bodies in chunks, by what they are."""
    multipart = b'Content-Type: multipart/mixed; boundary="=-abc"\r\n'
    attachment = b"--=-abc\r\nContent-Type: text/plain\r\n\r\nx\r\n--=-abc\r\nContent-Type: a/b\r\n"
    encoded = base64.encodebytes(bytes(range(256)) * 57).replace(b"\n", b"\r\n")
    begin = attachment + b"Content-Transfer-Encoding: base64\r\n\r\n"
    yield "text", b"", lambda: chunks(LINE, octets)
    yield "attachment in base64", multipart, lambda: chunks(encoded, octets, begin, b"--=-abc--\r\n")
    yield "one line of text", b"", lambda: chunks(b"text ", octets)
    binary = attachment + b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    yield (
        "attachment, one line, 8-bit",
        multipart,
        lambda: chunks(b"\xe9" * 5, octets, binary, b"\r\n--=-abc--\r\n"),
    )


def chunks(unit: bytes, octets: int, begin: bytes = b"", end: bytes = b"") -> Iterator[bytes]:
    """A body made of a unit again and again, cut into chunks."""
    block = unit * (CHUNK_OCTETS // len(unit))
    yield begin
    for _ in range(octets // len(block)):
        yield block
    yield end


def measure_small(name: str, header: bytes, rules: CanonicalRules, rounds: int, messages: int) -> Small:
    """Let one message pass again and again."""
    facts = BodyScan(header).finish()
    made = canonicalize(header, facts, SUBMITTED, rules)

    def form() -> None:
        canonicalize(header, facts, SUBMITTED, rules)

    def scan() -> None:
        body = BodyScan(header)
        body.add(SMALL_BODY)
        body.finish()

    times = [(time_of(form, messages), time_of(scan, messages)) for _ in range(rounds)]
    return Small(
        name,
        header.count(b"\r\n") - header.count(b"\r\n "),
        len(made.changes),
        spread(form_us for form_us, _ in times),
        spread(scan_us for _, scan_us in times),
    )


def time_of(run: Callable[[], None], times: int) -> float:
    """Microseconds of the processor that something takes, on the average of many times."""
    begin = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - begin) / times * 1e6


def measure_big(name: str, header: bytes, body: Callable[[], Iterator[bytes]], rounds: int) -> Big:
    """Let one body pass a few times, and once more to see what is held meanwhile."""
    scans, encodings = [], []
    for _ in range(rounds):
        begin = time.process_time()
        made = scan(header, body)
        scans.append(time.process_time() - begin)
        if made.encoder is not None:
            begin = time.process_time()
            encode(made, body)
            encodings.append(time.process_time() - begin)
    tracemalloc.start()
    encode(scan(header, body), body)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Big(name, spread(scans), spread(encodings) if encodings else None, most)


def scan(header: bytes, body: Callable[[], Iterator[bytes]]) -> Canonical:
    """Look at a body, and put its header into form."""
    looking = BodyScan(header)
    for chunk in body():
        looking.add(chunk)
    return canonicalize(header, looking.finish(), SUBMITTED, RULES)


def encode(made: Canonical, body: Callable[[], Iterator[bytes]]) -> None:
    """Let a body pass through its encoder, if it has one."""
    if made.encoder is not None:
        for chunk in body():
            made.encoder.encode(chunk)
        made.encoder.finish()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    parser = make_parser("bench.canonical", "Measure the canonical form of submitted messages.", EXAMPLE)
    add = parser.add_argument
    add("--rounds", type=positive, default=5, help="of each measurement (%(default)s)")
    add("--messages", type=positive, default=1000, help="small ones in a round (%(default)s)")
    add("--mebioctets", type=positive, default=50, help="of a big body (%(default)s)")
    add("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    return run_command("bench.canonical", lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """Measure what the options ask for; 1 where the message that needs nothing is above the bar."""
    progress("messages of 4 KiB")
    small = [measure_small(*case, options.rounds, options.messages) for case in small_cases()]
    big = []
    for name, header, body in big_bodies(options.mebioctets * 2**20):
        progress(f"{options.mebioctets} MiB: {name}")
        big.append(measure_big(name, header, body, options.rounds))
    if options.json:
        print(json.dumps({"small": [*map(asdict, small)], "big": [*map(asdict, big)]}, indent=2))
    else:
        show(small, big, options.mebioctets)
    first = small[0]
    return 0 if first.form_us.median + first.scan_us.median < BAR_US else 1


def show(small: Sequence[Small], big: Sequence[Big], mebioctets: int) -> None:
    """Print the tables."""
    rows = [
        (each.name, str(each.fields), str(each.changes), each.form_us.show(1), each.scan_us.show(1))
        for each in small
    ]
    print(table(("4 KiB", "fields", "changes", "header us", "body us"), rows))
    print(f"bar: less than {BAR_US:.0f} us for header and body of the first\n")
    rows_big = [
        (
            each.name,
            each.scan_s.show(2),
            each.encode_s.show(2) if each.encode_s is not None else "-",
            f"{each.most_octets / 2**20:.1f}",
        )
        for each in big
    ]
    print(table((f"{mebioctets} MiB", "scan s", "encode s", "most MiB held"), rows_big))


if __name__ == "__main__":
    sys.exit(main())
