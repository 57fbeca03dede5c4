"""docs/maildrop-states.md and the scenarios, held to each other: every transition there is crashed in."""

import re
from pathlib import Path

import pytest

from tests.crash.test_crash_points import run_crash

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PAGE = Path(__file__).parents[2] / "docs" / "maildrop-states.md"
_SECTION = re.compile(r"^## Transitions\n(.*?)^## ", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| ([^|:]+)[|:]", re.MULTILINE)
# What the page calls a transition: a scenario that it happens in, and its name there (transitions.py).
CRASHED = {
    "accept": ("everyday", "accept"),
    "forget a unique key": ("dropped", "forget"),
    "sort": ("everyday", "sort"),
    "sort, over the pace": ("over the pace", "sort for later"),
    "sort, where an equal one was first": ("lists", "sort"),
    "expand": ("lists", "expand"),
    "expand, with its report": ("successes", "expand with report"),
    "refuse": ("failures", "refuse with report"),
    "set aside at sorting": ("damaged", "set aside with report"),
    "raise the epoch": ("new aliases", "raise epoch"),
    "reopen": ("new aliases", "reopen"),
    "claim": ("everyday", "claim"),
    "claim overdue": ("given up far", "claim overdue"),
    "give back": ("unreachable", "give back"),
    "settle, delivered": ("everyday", "settle delivered"),
    "settle, delivered, with its report": ("successes", "settle delivered with report"),
    "settle, discarded": ("forwarded", "settle discarded"),
    "settle, forwarded, with its message": ("forwarded", "settle forwarded with report"),
    "settle, failed, with its report": ("failures", "settle failed with report"),
    "settle, deferred": ("everyday", "settle deferred"),
    "settle, set aside": ("damaged", "settle setaside with report"),
    "release": ("widows", "release"),
    "hold": ("operated", "operator: hold"),
    "release from hold": ("operated", "operator: release"),
    "retry": ("operated", "operator: retry"),
    "reroute": ("operated", "operator: reroute"),
    "remove": ("operated", "operator: remove"),
    "settle unclaimed, failed, with its report": ("operated", "operator: settle failed with report"),
    "warn": ("late", "warn with report"),
    "suspend a destination": ("unreachable", "suspend"),
    "probe": ("unreachable", "claim"),
    "resume a destination": ("unreachable", "resume"),
    "removal of a message with no open recipient": ("everyday", "settle delivered"),
    "sweep of content without a message": ("orphans", "sweep"),
    "sweep of destinations that nobody needs": ("everyday", "sweep destinations"),
}


def test_P3_every_transition_of_the_page_is_crashed_in() -> None:
    section = _SECTION.search(PAGE.read_text(encoding="utf-8"))
    assert section is not None
    rows = {row.replace("*", "").strip() for row in _ROW.findall(section[1])}
    assert rows - {"transition", "---"} == set(CRASHED)
    passed: set[tuple[str, str]] = set()
    scenarios = sorted({scenario for scenario, _ in CRASHED.values()})
    for line in run_crash("--list", "--every", *(f"--scenario={name}" for name in scenarios)).splitlines():
        scenario, transitions, _, _ = line.split(" / ")
        passed.update((scenario, transition) for transition in transitions.split(" + "))
    assert set(CRASHED.values()) - passed == set()
