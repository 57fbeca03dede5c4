"""What the supervisor makes of a stalled holder that it did not start."""

from pathlib import Path

import pytest

from paperpath.config.loader import parse_document
from paperpath.service.log import open_log
from paperpath.service.stalling import Holder
from paperpath.service.supervisor import Supervisor
from tests.unit.config.example import RIGHT


def test_P8_a_stranger_that_holds_the_lock_is_told_of_and_not_killed(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: int) -> None:
        raise AssertionError("not ours to kill")

    monkeypatch.setattr("os.kill", kill)
    supervisor = Supervisor([], parse_document(RIGHT, Path("paperpath.toml")), open_log("paperpath"))
    supervisor._kill(Holder(4711, "queue.lock", None), 10.0)
    assert (
        "holds a lock and gets nothing done pid=4711 lock=queue.lock after_s=10.0" in capfd.readouterr().err
    )
