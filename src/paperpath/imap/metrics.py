"""What imapd counts."""

from dataclasses import dataclass, field

from paperpath.service.metrics import Family, Sample, Tally


@dataclass(slots=True)
class ImapMetrics:
    """One for all sessions of the process."""

    connections: int = 0
    refused_connections: int = 0
    open_connections: int = 0
    idling: int = 0
    octets_in: int = 0
    octets_out: int = 0
    logins: Tally[str] = field(default_factory=Tally)
    """By what came of them: see accounts.verifier.Ruling."""
    commands: Tally[tuple[str, str]] = field(default_factory=Tally)
    """By name, and how they ended."""

    def families(self) -> list[Family]:
        """Return the families of samples of this moment."""
        octets = [
            Sample("_total", {"direction": "in"}, self.octets_in),
            Sample("_total", {"direction": "out"}, self.octets_out),
        ]
        commands = [
            Sample("_total", {"command": name, "result": result}, count)
            for (name, result), count in self.commands.counts.items()
        ]
        logins = [Sample("_total", {"result": name}, count) for name, count in self.logins.counts.items()]
        return [
            _count("connections", "Connections taken.", self.connections),
            _count("connections_refused", "Connections turned away.", self.refused_connections),
            _gauge("open_connections", "Connections that are open.", self.open_connections),
            _gauge("idling_sessions", "Sessions that wait for news.", self.idling),
            Family("paperpath_imap_octets", "counter", "Octets from and to clients.", octets),
            Family("paperpath_imap_commands", "counter", "Commands answered.", commands),
            Family("paperpath_imap_logins", "counter", "Logins judged.", logins),
        ]


def _count(name: str, text: str, value: int) -> Family:
    return Family(f"paperpath_imap_{name}", "counter", text, [Sample("_total", {}, value)])


def _gauge(name: str, text: str, value: int) -> Family:
    return Family(f"paperpath_imap_{name}", "gauge", text, [Sample("", {}, value)])
