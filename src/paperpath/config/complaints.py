"""The words for what pydantic found: a key's name, what was expected, and what stands there.

Called by the loader. What was expected comes from the tables' own descriptions and from the parsers.
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

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
    ("tls", "certificate"): CertificateEntry,
    ("journal",): JournalTable,
    ("metrics",): MetricsTable,
    ("service",): ServiceTable,
}
_MOST_SHOWN = 60  # characters


def explain(detail: Mapping[str, Any]) -> str:
    """Say what was expected and what stands there, of one of the errors that pydantic lists."""
    *outer, key = [part for part in detail["loc"] if isinstance(part, str)]
    fields = _TABLES[tuple(outer)].model_fields
    if detail["type"] == "extra_forbidden":
        return f"unknown key; expected one of {', '.join(fields)}"
    if detail["type"] == "missing":
        return f"missing; expected {fields[key].description}"
    expected = f"expected {fields[key].description}"
    if detail["type"] == "value_error":
        expected = str(detail["ctx"]["error"])
    return f"{expected}, got {show_value(detail['input'])}"


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


def _quote_key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "_").isidentifier()
    return key if bare else _quote(key)


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=not text.isprintable())
