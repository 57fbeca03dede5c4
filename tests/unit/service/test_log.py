"""Log lines stay one line, printable (S-6)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.service.log import format_value


@given(st.text())
def test_S6_any_value_stays_on_its_line_in_printable_ascii(text: str) -> None:
    shown = format_value(text)
    assert shown
    assert all(32 <= ord(character) < 127 for character in shown)


def test_plain_values_are_shown_as_they_are() -> None:
    assert format_value("<a@b.example>") == "<a@b.example>"
    assert format_value("two words") == "'two words'"
    assert format_value("\x1b[31m") == r"'\x1b[31m'"
    assert format_value("") == "''"
