"""What was measured, as values, lines and JSON. Pure.

The durability of what was measured stands in every line: a rate without it means nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from paperpath.load.histogram import Histogram
from paperpath.load.plan import Load, Share
from paperpath.load.tally import Tally
from paperpath.load.timeline import Timeline

PERCENTS = (50, 99, 99.9)
_MIB = 2**20


@dataclass(frozen=True)
class Program:
    """A program: its processes, what CPU they took meanwhile, and the memory they have in the end."""

    name: str
    processes: int
    cpu_us: int
    resident_octets: int


@dataclass(frozen=True)
class Delivered:
    """What had arrived at `place`, and how long after the first message was sent the last one came."""

    place: str
    copies: int
    seconds: float
    messages: int | None = None
    """Different ones, where they can be told apart."""
    lengths: Histogram | None = None
    samples: Sequence[tuple[float, int]] = ()
    """Seconds since the beginning, and how many had arrived by then."""


@dataclass(frozen=True)
class Report:
    """One load, and what came of it."""

    title: str
    durability: str
    load: Load
    tally: Tally
    seconds: float
    """From the first message to the last that was accepted."""
    sent: int
    latest_us: int
    delivered: Delivered | None = None
    programs: Sequence[Program] = ()
    is_interrupted: bool = False

    @property
    def replies(self) -> Timeline:
        """When messages were accepted, and what the 250 took."""
        return self.tally.replies

    @property
    def accepted_per_s(self) -> float:
        """Messages."""
        return self.tally.accepted / self.seconds if self.seconds else 0.0

    @property
    def delivered_per_s(self) -> float:
        """Copies."""
        delivered = self.delivered
        return delivered.copies / delivered.seconds if delivered and delivered.seconds else 0.0

    @property
    def is_complete(self) -> bool:
        """Whether all that was sent was taken, and all of that has arrived, as far as it was watched."""
        tally, delivered = self.tally, self.delivered
        has_arrived = delivered is None or (
            delivered.copies >= tally.recipients and delivered.messages in (None, tally.accepted)
        )
        return tally.accepted == self.sent > 0 and has_arrived and not self.is_interrupted

    def lines(self) -> Iterator[str]:
        """Write it for people."""
        tally = self.tally
        yield f"{self.title}: {describe_load(self.load)}"
        taken = f"{tally.accepted} of {self.sent} messages in {self.seconds:.2f} s"
        told = [("accepted/s", f"{self.accepted_per_s:.0f} ({taken})")]
        if self.delivered is not None:
            told.append(("delivered/s", _describe_delivered(self.delivered, self.delivered_per_s, tally)))
        told.append(("dot to 250, ms", _describe_lengths(self.replies.sum().lengths)))
        if self.delivered is not None and self.delivered.lengths is not None:
            told.append(("on its way, ms", _describe_lengths(self.delivered.lengths)))
        if self.load.rate is not None:
            told.append(
                ("late, ms", f"{self.latest_us / 1e3:.1f} at most behind {self.load.rate:g} a second")
            )
        told += [(f"CPU {one.name}", _describe_program(one, tally.accepted)) for one in self.programs]
        if tally.refused or tally.failed or tally.reasons:
            told.append(("went wrong", f"{tally.refused} refused, {tally.failed} lost"))
        told += [("", f"{count} × {reason}") for reason, count in tally.reasons.items()]
        if self.is_interrupted:
            told.append(("", "interrupted: this is what was seen so far"))
        for name, text in told:
            yield f"  [{self.durability}]  {name:16} {text}".rstrip()

    def describe(self) -> dict[str, Any]:
        """Return it as JSON has it: times in the units that the names say."""
        tally = self.tally
        return {
            "title": self.title,
            "durability": self.durability,
            "load": describe_load(self.load),
            "interrupted": self.is_interrupted,
            "sent": self.sent,
            "accepted": tally.accepted,
            "accepted_recipients": tally.recipients,
            "accepted_octets": tally.octets,
            "refused": tally.refused,
            "lost": tally.failed,
            "reasons": tally.reasons,
            "seconds": round(self.seconds, 6),
            "accepted_per_s": round(self.accepted_per_s, 3),
            "latest_ms": self.latest_us / 1e3,
            "dot_to_250_ms": _list_lengths(self.replies.sum().lengths),
            "delivered": self.delivered and self._describe_delivered(self.delivered),
            "programs": [self._describe_program(one) for one in self.programs],
        }

    def _describe_delivered(self, delivered: Delivered) -> dict[str, Any]:
        return {
            "place": delivered.place,
            "copies": delivered.copies,
            "messages": delivered.messages,
            "seconds": round(delivered.seconds, 6),
            "delivered_per_s": round(self.delivered_per_s, 3),
            "on_its_way_ms": delivered.lengths and _list_lengths(delivered.lengths),
        }

    def _describe_program(self, program: Program) -> dict[str, Any]:
        return {
            "name": program.name,
            "processes": program.processes,
            "cpu_us_per_message": round(program.cpu_us / self.tally.accepted, 3)
            if self.tally.accepted
            else None,
            "resident_mib": round(program.resident_octets / _MIB, 3),
        }


def describe_load(load: Load) -> str:
    """Say what is sent, and how."""
    if load.per_connection == 0:
        kept = "kept"
    else:
        kept = (
            "with one message each"
            if load.per_connection == 1
            else f"with {load.per_connection} messages each"
        )
    parts = [
        f"{load.connections} connections {kept}",
        _describe_sizes(load.sizes),
        f"{load.recipients} recipients" if load.recipients > 1 else "1 recipient",
        load.protocol.value,
        "pipelining" if load.pipelining else "no pipelining",
    ]
    if load.security.value != "none":
        parts.append(load.security.value)
    if load.user:
        parts.append("logged in")
    parts.append("as fast as possible" if load.rate is None else f"{load.rate:g} a second")
    return ", ".join(parts)


def _describe_sizes(sizes: Sequence[Share]) -> str:
    if len(sizes) == 1:
        return f"{sizes[0].octets} octets"
    total = sum(share.weight for share in sizes)
    return " and ".join(f"{share.weight / total:.0%} of {share.octets} octets" for share in sizes)


def _describe_delivered(delivered: Delivered, per_s: float, tally: Tally) -> str:
    seen = f"{delivered.copies} of {tally.recipients} in the {delivered.place} in {delivered.seconds:.2f} s"
    different = "" if delivered.messages is None else f", {delivered.messages} different messages"
    return f"{per_s:.0f} ({seen}{different})"


def _describe_lengths(lengths: Histogram) -> str:
    named = _list_lengths(lengths)
    return "  ".join(f"{name} {value:.1f}" for name, value in named.items())


def _list_lengths(lengths: Histogram) -> Mapping[str, float]:
    """Return percentiles and the greatest, in milliseconds."""
    found = {f"p{percent:g}": lengths.percentile(percent) / 1e3 for percent in PERCENTS}
    return {**found, "most": lengths.most_us / 1e3}


def _describe_program(program: Program, accepted: int) -> str:
    cpu = f"{program.cpu_us / accepted:.0f} µs a message" if accepted else "no message"
    count = f"{program.processes} processes, " if program.processes > 1 else ""
    return f"{cpu}; {count}{program.resident_octets / _MIB:.1f} MiB resident"
