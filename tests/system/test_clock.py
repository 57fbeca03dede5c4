"""A clock that is set back an hour and forward a year while mail flows (L-7, D-11)."""

import re
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.installation import PROGRAMS, Installation, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow
HOUR_S, YEAR_S = 3600, 365 * 86_400


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(tmp_path / "clock")
    monkeypatch.setenv("PYTHONPATH", str(clock.folder))
    return clock


def send(installation: Installation, recipient: str, count: int = 1) -> list[str]:
    """Send messages; return their queue ids."""
    ids = []
    with Wire(installation.port) as wire:
        wire.reply()
        wire.ask(b"EHLO client.example")
        for _ in range(count):
            wire.send(f"MAIL FROM:<joe@here.example>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode())
            assert [wire.reply()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
            wire.send(stuffed(b"Subject: x\r\n"))
            reply = wire.reply()
            assert reply.startswith(b"250 "), reply
            ids.append(reply.split()[-1].decode())
    return ids


def year_of(file: Path) -> int:
    found = re.search(rb"\w{3}, \d+ \w{3} (\d{4}) ", file.read_bytes())
    assert found is not None
    return int(found[1])


def test_L7_D11_a_clock_set_back_an_hour_and_forward_a_year_costs_no_mail(
    tmp_path: Path, clock: Clock
) -> None:
    installation = Installation(tmp_path / "site", accounts=("u@here.example", "joe@here.example"))
    # A year is late indeed: reports of that are another test's.
    text = installation.file.read_text()
    installation.file.write_text(f"{text}\n[delivery]\nwarn_after_s = 0\n")
    away = installation.mailboxes / "here.example" / "u"
    with installation.up():
        pids = [installation.pids(program) for program in PROGRAMS]
        ids = send(installation, "joe@here.example", 50)
        away.rename(away.with_name("away"))
        ids += send(installation, "u@here.example")
        wait_until(lambda: "deferred" in installation.output(), "the delivery to be deferred")

        clock.set(-HOUR_S)
        ids += send(installation, "joe@here.example", 50)
        installation.wait_for_deliveries(100, "joe@here.example")
        assert installation.books().ready == 1  # its time is more than an hour away now

        away.with_name("away").rename(away)
        clock.set(YEAR_S)
        (first,) = installation.wait_for_deliveries(1)  # tried, before anything is given up
        ids += send(installation, "u@here.example", 50)
        files = installation.wait_for_deliveries(51)
        wait_until(lambda: installation.books().open == 0, "the queue to drain")

        clock.set(0)
        ids += send(installation, "u@here.example", 50)
        files = installation.wait_for_deliveries(101)
        assert [installation.pids(program) for program in PROGRAMS] == pids
        assert "Traceback" not in installation.output()
    assert len(set(ids)) == len(ids) == 201
    assert {year_of(file) - year_of(first) for file in files} == {0, 1}
    books = installation.books()
    assert (books.accepted, books.delivered, books.failed, books.balance) == (201, 201, 0, True)
