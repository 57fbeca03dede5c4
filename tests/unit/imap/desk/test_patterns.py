"""Patterns of LIST (K-12)."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.imap.desk.patterns import NamePattern

NAMES = st.text("ab/", max_size=8)
PATTERNS = st.text("ab/*%", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "name", "is_meant"),
    [
        ("%", "a", True),
        ("%", "a/b", False),
        ("*", "a/b", True),
        ("a/%", "a/b", True),
        ("a%", "a", True),
        ("inbox", "INBOX", True),
        ("Inbox/%", "INBOX/x", True),
        ("A", "a", False),
        ("", "a", False),
    ],
)
def test_K12_wildcards_stay_in_their_level_or_not(pattern: str, name: str, is_meant: bool) -> None:
    assert NamePattern(pattern).matches(name) is is_meant


@given(PATTERNS, NAMES)
def test_K12_patterns_mean_what_their_characters_mean(pattern: str, name: str) -> None:
    meant = "".join({"*": ".*", "%": "[^/]*"}.get(character, character) for character in pattern)
    assert NamePattern(pattern).matches(name) is (re.fullmatch(meant, name) is not None)


def test_P6_no_pattern_takes_long() -> None:
    began_s = time.process_time()
    assert not NamePattern("*a" * 5000 + "b").matches("a" * 250)
    assert time.process_time() - began_s < 5  # backtracking would take longer than the world is old
