import datetime as dt

import pytest

from paperpath.config.complaints import name_key, show_value


@pytest.mark.parametrize(
    ("location", "name"),
    [
        (("hostname",), "hostname"),
        (("post_office", "route", 1, "domain"), "post_office.route[1].domain"),
        (("relay", "a.b"), 'relay."a.b"'),
        (("with-hyphen_9",), "with-hyphen_9"),
        (("",), '""'),
        (("größe",), '"größe"'),
    ],
)
def test_a_key_is_named_as_toml_writes_it(location, name):
    assert name_key(location) == name


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", '"a"'),
        ("bücher", '"bücher"'),
        ("a\x1b[0m\n", '"a\\u001b[0m\\n"'),
        ("\x9b", '"\\u009b"'),
        (5, "5"),
        (0.5, "0.5"),
        (float("inf"), "inf"),
        (True, "true"),
        (dt.date(1979, 5, 27), "1979-05-27"),
        ({"a": 1}, "a table"),
        ([1], "an array"),
        (2**63 - 1, "9223372036854775807"),
        (2**63, "an integer beyond 64 bits"),
        ("x" * 58, '"' + "x" * 58 + '"'),
        ("x" * 59, '"' + "x" * 59 + "…"),
    ],
)
def test_a_value_is_shown_as_toml_writes_it_on_one_line(value, shown):
    assert show_value(value) == shown
