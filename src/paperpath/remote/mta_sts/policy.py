"""A domain's policy: its text, and which hosts it names (RFC 8461 §3.2, §4.1). Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from paperpath.mail.domain import is_domain

MOST_AGE_S = 31_557_600
"""Seconds, a year, that a policy may be for."""

_VERSION = "STSv1"
_ANY_LABEL = "*."
_FIELD = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,31}):[ \t]*([^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*))")
_AGE = re.compile(r"[0-9]{1,10}")


class Mode(Enum):
    """What is to come of it where a host is not as the policy says."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """For how long it holds, and the hosts that it names, in lower case; `*.` stands for one label."""

    mode: Mode
    max_age_s: int
    patterns: tuple[str, ...]

    def matches(self, host: str) -> bool:
        """Tell whether it names a host, which is in lower case and without a trailing dot."""
        _, dot, rest = host.partition(".")
        return host in self.patterns or (dot != "" and f"{_ANY_LABEL}{rest}" in self.patterns)


class PolicyError(Exception):
    """What should be a policy is none: why."""


def parse_policy(octets: bytes) -> StsPolicy:
    """Read a policy. Raises: PolicyError."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PolicyError("the policy is not UTF-8") from error
    single: dict[str, str] = {}
    patterns: dict[str, None] = {}
    for name, value in _read_fields(text):
        if name == "mx":
            patterns[_read_pattern(value)] = None
        else:
            single.setdefault(name, value)  # RFC 8461 §3.2: the first counts
    return _make_policy(single, tuple(patterns))


def format_policy(policy: StsPolicy) -> str:
    """Write a policy, as `parse_policy` reads it."""
    fields = [
        ("version", _VERSION),
        ("mode", policy.mode.value),
        *(("mx", pattern) for pattern in policy.patterns),
        ("max_age", str(policy.max_age_s)),
    ]
    return "".join(f"{name}: {value}\n" for name, value in fields)


def _read_fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield names and values. Lines without anything are in many policies, though in none by the RFC."""
    for line in text.split("\n"):
        stripped = line.removesuffix("\r").rstrip(" \t")
        if not stripped:
            continue
        match = _FIELD.fullmatch(stripped)
        if match is None:
            raise PolicyError("the policy has a line that is no field")
        yield match[1], match[2]


def _read_pattern(value: str) -> str:
    if not is_domain(value.removeprefix(_ANY_LABEL)):
        raise PolicyError("mx in the policy is no name of a host")
    return value.lower()


def _make_policy(single: dict[str, str], patterns: tuple[str, ...]) -> StsPolicy:
    if single.get("version") != _VERSION:
        raise PolicyError(f"version in the policy is not {_VERSION}")
    try:
        mode = Mode(single.get("mode"))
    except ValueError as error:
        raise PolicyError("mode in the policy is not enforce, testing or none") from error
    age = single.get("max_age", "")
    if not _AGE.fullmatch(age) or int(age) > MOST_AGE_S:
        raise PolicyError(f"max_age in the policy is not a number from 0 to {MOST_AGE_S}")
    if not patterns and mode is not Mode.NONE:
        raise PolicyError("the policy names no host")
    return StsPolicy(mode, int(age), patterns)
