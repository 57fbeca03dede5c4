"""The octets of each message and its envelope: written beforehand as far as can be, since that costs least.

Pure. Called by the conversations, which share it.
"""

import itertools
from collections.abc import Iterator

from paperpath.load.plan import Load, Protocol, Share
from paperpath.load.steps import Say
from paperpath.load.token import TEMPLATE

_FIELDS = b"""\
From: <%b>\r
To: undisclosed-recipients:;\r
Subject: A message to measure with\r
Date: Mon, 23 Nov 2026 10:00:00 +0000\r
Message-ID: <%b.%012d@source.test>\r
\r
"""
_LINE = b"There is a way that mail takes, and this line takes it to be measured.\r\n"
_END = b".\r\n"


class Writing:
    """What is said for each message of a load."""

    def __init__(self, load: Load, run: str) -> None:
        """Write what is the same for all. `run` is in every token."""
        self._run = run.encode()
        self._sender = load.sender.encode()
        self._is_group = load.pipelining
        self._envelopes = [self._write_envelope(names) for names in load.recipient_sets]
        self._bodies = [self._write_body(octets) for octets in deal(load.sizes)]
        verb = b"LHLO" if load.protocol is Protocol.LMTP else b"EHLO"
        self.hello = Say(b"%b %b\r\n" % (verb, load.hello.encode()))

    def envelope(self, number: int) -> list[Say]:
        """Return the commands before the content: as one group, or one by one."""
        return self._envelopes[number % len(self._envelopes)]

    def content(self, number: int, now_us: int) -> bytes:
        """Return the content and its final dot."""
        fields = _FIELDS % (self._sender, self._run, number)
        token = TEMPLATE % (self._run, number, now_us)
        return token + fields + self._bodies[number % len(self._bodies)]

    def _write_envelope(self, names: tuple[str, ...]) -> list[Say]:
        commands = [b"MAIL FROM:<%b>\r\n" % self._sender]
        commands += [b"RCPT TO:<%b>\r\n" % name.encode() for name in names]
        commands.append(b"DATA\r\n")
        if self._is_group:
            return [Say(b"".join(commands), len(commands))]
        return [Say(command) for command in commands]

    def _write_body(self, octets: int) -> bytes:
        """Fill what the fields leave of a size; a body has one line at least."""
        header = len(TEMPLATE % (self._run, 0, 0)) + len(_FIELDS % (self._sender, self._run, 0))
        whole, rest = divmod(max(octets - header, 3), len(_LINE))
        if 0 < rest < 3:  # no room for a line end of its own
            whole, rest = max(whole - 1, 0), rest + (len(_LINE) if whole else 0)
        return _LINE * whole + (b"x" * (rest - 2) + b"\r\n" if rest else b"") + _END


def deal(sizes: tuple[Share, ...]) -> list[int]:
    """Return sizes so that each has its share, spread evenly: the same order in every run."""
    total = sum(share.weight for share in sizes)
    places: Iterator[tuple[float, int]] = itertools.chain.from_iterable(
        (((number + 0.5) * total / share.weight, share.octets) for number in range(share.weight))
        for share in sizes
    )
    return [octets for _, octets in sorted(places)]
