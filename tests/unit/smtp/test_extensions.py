"""What a peer offers (G-24, G-33, G-34)."""

import pytest

from paperpath.smtp.extensions import NO_EXTENSIONS, read_extensions


def test_keywords_in_any_case_and_the_last_one_counts():
    found = read_extensions(["pipelining", "SIZE 5", "size 7", "8BitMime", "x-unknown a b", "", "DSN"])
    assert (found.pipelining, found.size, found.eight_bit, found.dsn) == (True, 7, True, True)
    assert not any([found.international, found.chunking, found.starttls])


@pytest.mark.parametrize(
    ("line", "size"), [("SIZE", 0), ("SIZE 0", 0), ("SIZE 12", 12), ("SIZE x", 0), ("SIZE " + "9" * 21, 0)]
)
def test_G24_size(line, size):
    assert read_extensions([line]).size == size


@pytest.mark.parametrize(
    ("line", "limits"),
    [
        ("LIMITS", (None, None, None)),
        ("LIMITS RCPTMAX=2 MAILMAX=x", (2, None, None)),
        ("LIMITS RCPTMAX=2 MAILMAX=30 RCPTDOMAINMAX=4", (2, 30, 4)),
        ("limits rcptmax=2", (2, None, None)),
        ("LIMITS =5", (None, None, None)),
        ("LIMITS RCPTMAX=2 =5", (None, None, None)),
        ("LIMITS RCPTMAX=2 MAILMAX=a;b", (None, None, None)),
        ("LIMITS RCPTMAX=0 MAILMAX=01 RCPTDOMAINMAX=1000000", (None, None, None)),
        ("LIMITS FUTURE RCPTMAX=999999", (999999, None, None)),
    ],
)
def test_G33_limits(line, limits):
    found = read_extensions([line])
    assert (found.most_recipients, found.most_messages, found.most_domains) == limits


@pytest.mark.parametrize("line", ["AUTH plain LOGIN", "AUTH=plain LOGIN", "auth=PLAIN login"])
def test_G34_mechanisms(line):
    assert read_extensions([line]).mechanisms == {"PLAIN", "LOGIN"}


def test_nothing_offered():
    assert read_extensions([]) == NO_EXTENSIONS
