"""The words for what pydantic found: a key's name, what was expected, and what stands there.

Called by the loader. What was expected comes from the tables' own descriptions and from the parsers.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from paperpath.config.agent_tables import AGENT_KINDS, AGENTS_EXPECTED
from paperpath.config.dkim_table import DkimKeyEntry, DkimTable
from paperpath.config.dnslistd_table import DnslistdTable, ZoneEntry
from paperpath.config.intake_tables import (
    AccessEntry,
    CanonicalTable,
    RelayTable,
    SendmailTable,
    SubmissionTable,
)
from paperpath.config.limit_tables import LimitsTable, TarpitTable
from paperpath.config.lines import Location
from paperpath.config.tables import (
    CertificateEntry,
    Configuration,
    DeliveryTable,
    DestinationEntry,
    DnsTable,
    DropTable,
    JournalTable,
    LocalTable,
    MetricsTable,
    PostOfficeTable,
    RemoteTable,
    RouteEntry,
    ScheduleTable,
    ServiceTable,
    TimeoutsTable,
    TlsTable,
)

_TABLES: dict[tuple[str, ...], type[BaseModel]] = {
    (): Configuration,
    ("relay",): RelayTable,
    ("relay", "access"): AccessEntry,
    ("relay", "tarpit"): TarpitTable,
    ("relay", "limits"): LimitsTable,
    ("submission",): SubmissionTable,
    ("submission", "access"): AccessEntry,
    ("submission", "tarpit"): TarpitTable,
    ("submission", "limits"): LimitsTable,
    ("canonical",): CanonicalTable,
    ("sendmail",): SendmailTable,
    ("post_office",): PostOfficeTable,
    ("post_office", "route"): RouteEntry,
    ("local",): LocalTable,
    ("remote",): RemoteTable,
    ("remote", "destination"): DestinationEntry,
    ("remote", "schedule"): ScheduleTable,
    ("remote", "timeouts"): TimeoutsTable,
    ("delivery",): DeliveryTable,
    ("dns",): DnsTable,
    ("drop",): DropTable,
    ("tls",): TlsTable,
    ("dkim",): DkimTable,
    ("dkim", "key"): DkimKeyEntry,
    ("tls", "certificate"): CertificateEntry,
    ("dnslistd",): DnslistdTable,
    ("dnslistd", "zone"): ZoneEntry,
    ("journal",): JournalTable,
    ("metrics",): MetricsTable,
    ("service",): ServiceTable,
}
_MOST_SHOWN = 60  # characters


def explain(detail: Mapping[str, Any]) -> str:
    """Say what was expected and what stands there, of one of the errors that pydantic lists."""
    *outer, key = [part for part in detail["loc"] if isinstance(part, str)]
    if outer[:1] == ["agents"] and len(outer) < 3:  # the name or the kind is wrong, not what the kind has
        return _explain_agent(detail)
    fields = _find_table(outer).model_fields
    if detail["type"] == "extra_forbidden":
        return f"unknown key; expected one of {', '.join(fields)}"
    if detail["type"] == "missing":
        return f"missing; expected {fields[key].description}"
    expected = f"expected {fields[key].description}"
    if detail["type"] == "value_error":
        expected = str(detail["ctx"]["error"])
    return f"{expected}, got {show_value(detail['input'])}"


def find_location(detail: Mapping[str, Any]) -> Location:
    """Return where an error stands in the file: pydantic adds to that which kind of agent it read."""
    location: Location = detail["loc"]
    return (*location[:2], *location[3:]) if location[0] == "agents" else location


def name_key(location: Location) -> str:
    """Write a location as TOML writes keys, with the index of an array's element, from 0, in brackets."""
    name = ""
    for part in location:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{_quote_key(part)}" if name else _quote_key(part)
    return name


def show_value(value: object) -> str:
    """Write a value as TOML writes it, a long one cut; tables and arrays are only called so."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, int) and value.bit_length() > 63:
        return "an integer beyond 64 bits"  # Python may refuse to write it out
    shown = _quote(value) if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        shown = shown.lower()
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]}…"


def _find_table(outer: list[str]) -> type[BaseModel]:
    if outer[:1] == ["agents"]:
        return AGENT_KINDS[outer[2]]
    return _TABLES[tuple(outer)]


def _explain_agent(detail: Mapping[str, Any]) -> str:
    if detail["type"] == "value_error":
        return f"{detail['ctx']['error']}, got {show_value(detail['input'])}"
    kind = detail["input"].get("kind") if isinstance(detail["input"], dict) else None
    got = show_value(detail["input"]) if kind is None else f"the kind {show_value(kind)}"
    return f"expected {AGENTS_EXPECTED}, got {got}"


def _quote_key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "_").isidentifier()
    return key if bare else _quote(key)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())
