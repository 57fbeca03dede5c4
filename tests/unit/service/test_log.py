"""Log lines stay one line, printable, in both forms (S-6)."""

import io
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.service.log import Form, open_log
from paperpath.service.printable import format_value


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


def write(form: Form, **facts: Any) -> str:
    """Return what is written of two events, the second with something bound."""
    with pytest.MonkeyPatch.context() as patch:
        stream = io.StringIO()
        patch.setattr("sys.stderr", stream)
        log = open_log("smtprd", form)
        log.info("begun", **facts)
        log.bind(session="s1", message="m1").warning("odd", **facts)
        return stream.getvalue()


def test_text_has_moment_program_level_event_what_is_bound_and_the_facts() -> None:
    first, second = write("text", size=5, reply="250 2.0.0 Taken").splitlines()
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert re.fullmatch(rf"{moment} smtprd info begun size=5 reply='250 2\.0\.0 Taken'", first)
    assert re.fullmatch(rf"{moment} smtprd warning odd session=s1 message=m1 size=5 reply=.*", second)


def test_json_has_the_same() -> None:
    first, second = (json.loads(line) for line in write("json", size=5, reply=ValueError("no")).splitlines())
    assert list(first) == ["time", "program", "level", "event", "size", "reply"]
    assert first["time"].endswith("Z")
    assert (first["program"], first["level"], first["event"]) == ("smtprd", "info", "begun")
    assert (first["size"], first["reply"]) == (5, "no")
    assert (second["session"], second["message"], second["level"]) == ("s1", "m1", "warning")


@example("\x7f\x9b[31m", "json")
@example("\x7f\x9b[31m", "text")
@given(st.text(), st.sampled_from(["text", "json"]))
def test_S6_whatever_a_peer_says_an_event_is_one_printable_line(text: str, form: Form) -> None:
    written = write(form, said=text, wrapped=ValueError(text))
    assert written.count("\n") == 2
    assert all(32 <= ord(character) < 127 for character in written.replace("\n", ""))
    if form == "json":
        assert json.loads(written.splitlines()[0])["said"] == text
