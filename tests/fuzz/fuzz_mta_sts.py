"""Invariant: any octets are a policy of MTA-STS that reads the same once written, or none; so for records."""

from paperpath.remote.mta_sts.policy import PolicyError, format_policy, parse_policy
from paperpath.remote.mta_sts.record import find_policy_id
from tests.fuzz.pace import at_pace

MOST_OCTETS = 4096
WORDS = (
    b"version: STSv1\n", b"mode: enforce\n", b"mode: testing\r\n", b"mode: none\n", b"mx: ",
    b"mx: *.x.example\n",
    b"max_age: 31557600\n", b"v=STSv1;", b" id=1;", b"*.", b":", b";", b"=", b"\r\n", b"\t", "ü".encode(),
)  # fmt: skip


def check(octets: bytes) -> None:
    """Read it as a policy, and as a record."""
    at_pace(lambda: check_policy(octets), len(octets), 20)
    at_pace(lambda: check_record(octets), len(octets), 20)


def check_policy(octets: bytes) -> None:
    """Read a policy."""
    try:
        policy = parse_policy(octets)
    except PolicyError:
        return
    assert parse_policy(format_policy(policy).encode()) == policy
    for pattern in policy.patterns:
        assert policy.matches(pattern.replace("*.", "mx.", 1))
        assert not policy.matches(f"a.b.{pattern.removeprefix('*.')}") or len(policy.patterns) > 1


def check_record(octets: bytes) -> None:
    """Read a record."""
    found = find_policy_id([octets])
    assert found is None or (found.isalnum() and found.isascii() and len(found) <= 32)
