"""Lines on their way to syslog."""

import syslog

import pytest

from paperpath.service.log import open_log
from paperpath.service.syslog_stream import open_syslog


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what syslog is told, from now on."""
    lines: list[str] = []
    monkeypatch.setattr(syslog, "openlog", lambda *about: lines.append(f"{about}"))
    monkeypatch.setattr(syslog, "syslog", lines.append)
    return lines


def test_a_line_of_the_log_is_one_message(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", open_syslog("smtprd"))
    open_log("smtprd").info("began", client="a\r\nb", name="\xfc")
    opened, line = said
    assert opened == f"('smtprd', {syslog.LOG_PID}, {syslog.LOG_MAIL})"
    assert line.endswith("smtprd info began client='a\\r\\nb' name='\\xfc'")


def test_what_has_several_lines_is_several_messages(said: list[str]) -> None:
    stream = open_syslog("smtprd")
    print("Traceback:\n  \N{PILE OF POO}\nx", file=stream)
    assert said[1:] == ["Traceback:", "  \\U0001f4a9", "x"]
    stream.close()
