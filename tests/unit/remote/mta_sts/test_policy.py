"""The text of a policy, and which hosts it names (G-39)."""

import pytest

from paperpath.remote.mta_sts.policy import MOST_AGE_S, Mode, PolicyError, StsPolicy, parse_policy

EXAMPLE = """version: STSv1
mode: enforce
mx: mail.example.com
mx: *.example.net
mx: backupmx.example.com
max_age: 604800
"""
NAMES = ("mail.example.com", "*.example.net", "backupmx.example.com")


@pytest.mark.parametrize(
    "text",
    [
        EXAMPLE,
        EXAMPLE.replace("\n", "\r\n"),
        EXAMPLE.rstrip("\n"),
        EXAMPLE.replace(": ", ":"),
        EXAMPLE.replace(": ", ":\t ").replace("\n", " \t\r\n"),
        EXAMPLE + "\r\n\n",
        EXAMPLE.replace("mail.example.com", "Mail.Example.COM"),
        EXAMPLE + "mx: mail.example.com\n",
        EXAMPLE + "version: STSv2\nmode: none\nmax_age: never\n",
        "x-more.1_2: größer: als\n" + EXAMPLE + "MX: +++\n",
    ],
)
def test_G39_the_policy_of_the_RFC_in_its_spellings(text):
    assert parse_policy(text.encode()) == StsPolicy(Mode.ENFORCE, 604800, NAMES)


def test_G39_modes_and_ages():
    for mode in Mode:
        for age in (0, MOST_AGE_S):
            text = f"version: STSv1\nmode: {mode.value}\nmx: a.example\nmax_age: {age}"
            assert parse_policy(text.encode()) == StsPolicy(mode, age, ("a.example",))
    assert parse_policy(b"version: STSv1\nmode: none\nmax_age: 60") == StsPolicy(Mode.NONE, 60, ())


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html>\nversion: STSv1\nmode: enforce\nmx: a.example\nmax_age: 60",
        EXAMPLE.replace("STSv1", "STSv2").encode(),
        EXAMPLE.replace("version", "Version").encode(),
        EXAMPLE.replace("version: STSv1\n", "").encode(),
        b"version: STSv2\n" + EXAMPLE.encode(),
        EXAMPLE.replace("enforce", "Enforce").encode(),
        EXAMPLE.replace("mode: enforce\n", "").encode(),
        EXAMPLE.replace("mode: enforce", "mode:").encode(),
        b"mode: off\n" + EXAMPLE.encode(),
        EXAMPLE.replace("604800", str(MOST_AGE_S + 1)).encode(),
        EXAMPLE.replace("604800", "-1").encode(),
        EXAMPLE.replace("604800", "1" * 11).encode(),
        EXAMPLE.replace("604800", "00000000060").encode(),
        EXAMPLE.replace("604800", "٣").encode(),
        EXAMPLE.replace("max_age: 604800\n", "").encode(),
        b"version: STSv1\nmode: enforce\nmax_age: 60",
        b"version: STSv1\nmode: testing\nmax_age: 60",
        EXAMPLE.replace("*.example.net", "*").encode(),
        EXAMPLE.replace("*.example.net", "*.*.example.net").encode(),
        EXAMPLE.replace("*.example.net", "mx*.example.net").encode(),
        EXAMPLE.replace("*.example.net", "[192.0.2.1]").encode(),
        EXAMPLE.replace("*.example.net", "bücher.example").encode(),
        EXAMPLE.replace("mode", " mode").encode(),
        EXAMPLE.encode() + b"x: \xff",
        EXAMPLE.encode() + b"x: a\0b",
        EXAMPLE.replace("\n", "\r").encode(),
    ],
)
def test_G39_what_is_no_policy(octets):
    with pytest.raises(PolicyError):
        parse_policy(octets)


def test_G39_a_star_is_exactly_one_label():
    policy = parse_policy(EXAMPLE.encode())
    for host in ("mail.example.com", "backupmx.example.com", "mx.example.net", "7.example.net"):
        assert policy.matches(host)
    for host in ("example.com", "a.mail.example.com", "example.net", "a.b.example.net", "net", "", "x"):
        assert not policy.matches(host)
