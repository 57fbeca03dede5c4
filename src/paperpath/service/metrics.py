"""What a program counts, and the families of samples that are made of it when somebody asks.

Counting is plain arithmetic, for the intake counts on its hot path: `metrics.octets_in += len(octets)`,
`metrics.commands.add("MAIL")`. Names, help and labels come in only when metricsd asks over the control
socket. A program that has counters hands a source of families to `Life.measure`.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeVar

_MOST_KEYS = 200
_NO_LABELS: Mapping[str, str] = MappingProxyType({})
_LATENCIES_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

Kind = Literal["counter", "gauge", "histogram"]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Sample:
    """One number: what is added to the family's name, the labels, the value."""

    suffix: str
    labels: dict[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name; Prometheus wants each name once, with its kind and help."""

    name: str
    kind: Kind
    help: str
    samples: Sequence[Sample]


Source = Callable[[], Sequence[Family]]


class Tally(Generic[Key]):
    """Counts by key. Whatever peers send, the keys are bounded (promise P6): what is too much is `rest`."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.counts: dict[Key, int] = {}
        self.rest = 0

    def add(self, key: Key) -> None:
        """Count one."""
        try:
            self.counts[key] += 1
        except KeyError:
            if len(self.counts) < _MOST_KEYS:
                self.counts[key] = 1
            else:
                self.rest += 1


class Histogram:
    """Counts durations by how long they were."""

    def __init__(self, bounds_s: Sequence[float] = _LATENCIES_S) -> None:
        """Take the upper bounds, in order; longer ones are counted too."""
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self._sum_s += seconds

    def samples(self, labels: Mapping[str, str] = _NO_LABELS) -> list[Sample]:
        """Return the samples, with these labels: cumulative counts, as Prometheus wants them."""
        samples, total = [], 0
        for bound, count in zip([*map(repr, self._bounds_s), "+Inf"], self._counts, strict=True):
            total += count
            samples.append(Sample("_bucket", {**labels, "le": bound}, total))
        return [*samples, Sample("_count", {**labels}, total), Sample("_sum", {**labels}, self._sum_s)]


@dataclass(slots=True)
class IntakeMetrics:
    """What a way in counts: one for all sessions of a process.

    `replies` are counted by code and enhanced status, empty where there is none; `commands` by verb, a word
    that is no verb of ours as "unknown".
    """

    connections: int = 0
    """Taken since the start."""
    refused_connections: int = 0
    """Turned away without a session."""
    denied_connections: int = 0
    """Of these, those that the access rules deny any word."""
    refused_headers: int = 0
    """Closed, since they were no proxies of ours, or did not say for whom they spoke."""
    early_talkers: int = 0
    """That did not wait for the greeting, whether they were served or not."""
    open_connections: int = 0
    messages: int = 0
    """Taken responsibility for."""
    octets_in: int = 0
    octets_out: int = 0
    spool_octets: int = 0
    """Held now for messages that are not committed yet."""
    commands: Tally[str] = field(default_factory=Tally)
    replies: Tally[tuple[int, str]] = field(default_factory=Tally)
    limits: Tally[str] = field(default_factory=Tally)
    """Clients that had reached a limit, by its name: see intake.limits."""
    tarpitted: int = 0
    """Sessions whose reply is held back now."""
    delays: int = 0
    """Replies that were held back since the start."""
    commits: Histogram = field(default_factory=Histogram)
    """From handing a message to the maildrop to its answer."""

    def families(self) -> list[Family]:
        """Return the families of samples of this moment."""
        return [
            _number("connections", "counter", "Connections taken.", self.connections),
            _number("proxy_headers_refused", "counter", "Connections of no proxy.", self.refused_headers),
            _number("early_talkers", "counter", "Clients that did not wait.", self.early_talkers),
            _number("connections_refused", "counter", "Connections turned away.", self.refused_connections),
            _number("connections_denied", "counter", "Of these, denied by rules.", self.denied_connections),
            _number("open_connections", "gauge", "Connections that are open.", self.open_connections),
            _number("messages_accepted", "counter", "Messages taken responsibility for.", self.messages),
            Family(
                "paperpath_octets",
                "counter",
                "Octets from and to clients.",
                [
                    Sample("_total", {"direction": "in"}, self.octets_in),
                    Sample("_total", {"direction": "out"}, self.octets_out),
                ],
            ),
            _number("spool_octets", "gauge", "Octets of messages not committed yet.", self.spool_octets),
            Family("paperpath_commands", "counter", "Commands received.", _tally_commands(self.commands)),
            Family("paperpath_replies", "counter", "Replies given.", _tally_replies(self.replies)),
            Family("paperpath_limits_reached", "counter", "Limits reached.", _tally_limits(self.limits)),
            _number("tarpitted_sessions", "gauge", "Sessions whose reply is held back.", self.tarpitted),
            _number("tarpit_delays", "counter", "Replies that were held back.", self.delays),
            Family("paperpath_commit_seconds", "histogram", "Time to a commit.", self.commits.samples()),
        ]


class ListMetrics:
    """What a way in counts of the lists of clients that it asks: what each said, and how long that took."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self._said: Tally[tuple[str, str]] = Tally()
        self._latencies: dict[str, Histogram] = {}

    def note(self, name: str, said: str, seconds: float) -> None:
        """Count one client that a list was asked about; the names are those of the configuration."""
        self._said.add((name, said))
        self._latencies.setdefault(name, Histogram()).observe(seconds)

    def families(self) -> list[Family]:
        """Return the families of samples of this moment; none before a list was asked."""
        if not self._latencies:
            return []
        counts = self._said.counts.items()
        said = [Sample("_total", {"list": name, "said": what}, count) for (name, what), count in counts]
        times = [
            sample for name, times in self._latencies.items() for sample in times.samples({"list": name})
        ]
        return [
            Family("paperpath_client_list_lookups", "counter", "Clients that a list was asked about.", said),
            Family("paperpath_client_list_seconds", "histogram", "Time to what a list says.", times),
        ]


def make_gauge(name: str, text: str, label: str, values: dict[str, float]) -> Family:
    """Make a family of what is so many now, by one label."""
    samples = [Sample("", {label: key}, value) for key, value in values.items()]
    return Family(f"paperpath_{name}", "gauge", text, samples)


def parse_family(value: dict[str, Any]) -> Family:
    """Read what `dataclasses.asdict` made of a family and JSON carried."""
    samples = [Sample(**sample) for sample in value["samples"]]
    return Family(value["name"], value["kind"], value["help"], samples)


def _number(name: str, kind: Kind, text: str, value: float) -> Family:
    return Family(f"paperpath_{name}", kind, text, [Sample("_total" if kind == "counter" else "", {}, value)])


def _tally_commands(tally: Tally[str]) -> list[Sample]:
    samples = [Sample("_total", {"verb": verb}, count) for verb, count in tally.counts.items()]
    return [*samples, *_rest(tally, {"verb": "rest"})]


def _tally_replies(tally: Tally[tuple[int, str]]) -> list[Sample]:
    samples = [
        Sample("_total", {"code": str(code), "status": status}, count)
        for (code, status), count in tally.counts.items()
    ]
    return [*samples, *_rest(tally, {"code": "rest", "status": ""})]


def _tally_limits(tally: Tally[str]) -> list[Sample]:
    return [Sample("_total", {"limit": limit}, count) for limit, count in tally.counts.items()]


def _rest(tally: Tally[Any], labels: dict[str, str]) -> list[Sample]:
    return [Sample("_total", labels, tally.rest)] if tally.rest else []
