"""What guessing passwords costs who visits smtpsd: `.venv/bin/python -m bench.visits [options]`.

Somebody with an account logs in and sends a message, again and again, over STARTTLS; then the same while
strangers guess passwords from networks of their own, over connections that they keep as long as they may.
Printed is how long the owner's visits took, and what the strangers were told.
"""

import argparse
import collections
import contextlib
import smtplib
import ssl
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence

from bench.command import make_parser, positive, progress, run_command
from bench.compare import submitting
from bench.measure import table
from bench.relay import RECIPIENT, free_ports
from bench.workplace import workplace

OWNER = "127.0.0.2"
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # one for all: to make one, certificates and all, is slow
CONTEXT.check_hostname, CONTEXT.verify_mode = False, ssl.CERT_NONE
EXAMPLE = """\
example:
  python -m bench.visits --guessers 50 --visits 200
"""
MESSAGE = f"From: {RECIPIENT}\nTo: {RECIPIENT}\nSubject: visit\n\nHello\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print; the exit status."""
    parser = make_parser(
        "bench.visits", "Measure what guessing of passwords costs the owner of an account.", EXAMPLE
    )
    parser.add_argument("--guessers", type=positive, default=50, help="who guess at once (default: 50)")
    parser.add_argument("--visits", type=positive, default=100, help="of the owner, each time (default: 100)")
    options = parser.parse_args(arguments)
    return run_command("bench.visits", lambda: run(options))


def run(options: argparse.Namespace) -> int:
    """Measure both times, and print a line for each."""
    with workplace(None, must_be_public=False) as place:
        password = place.path / submitting.PASSWORD_NAME
        password.write_text("the owner's own password", encoding="utf-8")
        side = submitting.Paperpath(place.path, free_ports(1)[0], password)
        try:
            side.start()
            visit(side.port, password.read_text(encoding="utf-8"))  # from now on a familiar guest
            rows = [describe("nobody guesses", options, side.port, password.read_text(encoding="utf-8"))]
            with guessing(side.port, options.guessers) as told:
                rows.append(
                    describe("strangers guess", options, side.port, password.read_text(encoding="utf-8"))
                )
        finally:
            side.stop()
    print(table(("", "median ms", "95% within ms", "longest ms"), rows))
    print(
        "the strangers heard: " + ", ".join(f"{code} {count} times" for code, count in sorted(told.items()))
    )
    return 0


def describe(name: str, options: argparse.Namespace, port: int, password: str) -> tuple[str, ...]:
    """Visit as often as wanted; a row for the table."""
    times_ms = sorted(1000 * visit(port, password) for _ in range(options.visits))
    progress(f"{name}: {options.visits} visits")
    middle, late = statistics.median(times_ms), times_ms[int(0.95 * (len(times_ms) - 1))]
    return name, f"{middle:.1f}", f"{late:.1f}", f"{times_ms[-1]:.1f}"


def connect(port: int, address: str) -> smtplib.SMTP:
    """Connect from an address of loopback, and begin TLS."""
    client = smtplib.SMTP("127.0.0.1", port, "guest.test", timeout=120, source_address=(address, 0))
    client.starttls(context=CONTEXT)
    client.ehlo()
    return client


def visit(port: int, password: str) -> float:
    """Log in and send a message; how long it took, in seconds."""
    began = time.monotonic()
    with connect(port, OWNER) as client:
        client.login(RECIPIENT, password)
        client.sendmail(RECIPIENT, [RECIPIENT], MESSAGE)
    return time.monotonic() - began


@contextlib.contextmanager
def guessing(port: int, guessers: int) -> Iterator["collections.Counter[int]"]:
    """Have strangers guess for the length of the block; count what they are told."""
    told: collections.Counter[int] = collections.Counter()
    enough = threading.Event()

    def guess(number: int) -> None:
        while not enough.is_set():
            with (
                contextlib.suppress(OSError, smtplib.SMTPException),
                connect(port, f"127.0.1.{number}") as client,
            ):
                while not enough.is_set():
                    client.user, client.password = RECIPIENT, f"guess {number}"
                    try:
                        told[client.auth("PLAIN", client.auth_plain)[0]] += 1
                    except smtplib.SMTPAuthenticationError as error:
                        told[error.smtp_code] += 1

    threads = [threading.Thread(target=guess, args=(number + 1,)) for number in range(guessers)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        enough.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
