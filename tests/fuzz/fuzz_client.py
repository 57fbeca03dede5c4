"""Invariant: no peer makes the client raise, hold more than its bounds, or believe what was not said."""

from tests.fuzz.pace import at_pace
from tests.support.hostile_peer import CHALLENGE, CORES, EHLOS, Driver

MOST_OCTETS = 4096
WORDS = (
    *EHLOS, CHALLENGE, b"220 x\r\n", b"250 ok\r\n", b"354 go\r\n", b"550 no\r\n", b"452 4.5.3 x\r\n",
    b"421 x\r\n", b"235 x\r\n", b"334 \r\n", b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", b"250-",
    b"999 x\r\n", b"\r", b"\n", b"\0",
)  # fmt: skip


def check(octets: bytes) -> None:
    """The first octet chooses the client; then comes what the peer says, with NUL wherever it pauses."""
    at_pace(lambda: talk(octets), len(octets), 200)


def talk(octets: bytes) -> None:
    """Let a client hear it, and the end."""
    how = sum(octets[:1])
    driver = Driver(CORES[(how >> 1) % len(CORES)], binary=bool(how & 1))
    for said in octets[1:].split(b"\0"):
        driver.hear(said)
    driver.end()
