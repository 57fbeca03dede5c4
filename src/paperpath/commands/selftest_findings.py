"""What the parts of `paperpath selftest` find, how that is told, and what it exits with.

Every finding says what was tried and what was seen. A fault is something that the running installation should
not do or have; what is doubtful may be meant that way.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import click

from paperpath.service.printable import format_text

EX_FAULT = 1
"""The exit code where there is a fault."""


class Verdict(Enum):
    """What it means."""

    GOOD = "good"
    UNTOLD = "cannot be told"
    """It was tried, and what was seen says neither one nor the other; or there is nothing to try."""
    DOUBTFUL = "doubtful"
    UNTRIED = "not tried"
    """It could not be tried now."""
    FAULT = "FAULT"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried and what was seen, in words of ours and of whoever was asked."""

    verdict: Verdict
    tried: str
    seen: str


Parts = Mapping[str, Sequence[Finding]]
"""The findings by the name of the part that has them."""


def choose_exit(findings: Iterable[Finding]) -> int:
    """Return 1 where there is a fault, 69 where something could not be tried, else 0."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.FAULT in verdicts:
        return EX_FAULT
    return os.EX_UNAVAILABLE if Verdict.UNTRIED in verdicts else os.EX_OK


def describe(parts: Parts) -> dict[str, list[dict[str, str]]]:
    """Return the findings as an object for scripts."""
    return {
        name: [
            {"verdict": one.verdict.value.lower(), "tried": one.tried, "seen": one.seen} for one in findings
        ]
        for name, findings in parts.items()
    }


def show(parts: Parts) -> None:
    """Print the findings, whatever a server or a name of a file says escaped (attack S-6)."""
    for name, findings in parts.items():
        click.echo(name)
        for one in findings:
            click.echo(f"  {one.verdict.value:14} {format_text(one.tried)}: {format_text(one.seen)}")
        faults = sum(one.verdict is Verdict.FAULT for one in findings)
        click.echo(f"  {faults} of {len(findings)} are faults")
