import pytest

from paperpath.config.octets import parse_octets


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (1048576, 1048576),
        (0, 0),
        ("50 MiB", 52428800),
        ("50MiB", 52428800),
        ("10 MB", 10_000_000),
        ("64 KiB", 65536),
        ("64 kB", 64000),
        ("64 KB", 64000),
        ("2 GB", 2_000_000_000),
        ("2 GiB", 2147483648),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_integers_are_octets_and_units_are_powers_of_1000_or_1024(value, octets):
    assert parse_octets(value) == octets


@pytest.mark.parametrize(
    "value",
    [
        "",
        "50",
        "MiB",
        "-1 MiB",
        "1.5 MiB",
        "50  MiB",
        "50 mib",
        "50 kiB",
        "50 MiB ",
        "50 M",
        "٥ MiB",
        "9" * 16 + " MiB",
        "999999999999999 GiB",
        2**63,
        True,
        1.5,
        [],
    ],
)
def test_anything_else_is_refused_with_what_was_expected(value):
    with pytest.raises(ValueError, match=r"^expected a number of octets"):
        parse_octets(value)
