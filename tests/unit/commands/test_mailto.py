"""J-12: what mailto does about a mistake of ours."""

from pathlib import Path

import pytest

from paperpath.commands import mailto, mailto_delivery


def test_J12_a_mistake_of_ours_costs_nobody_his_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def stumble(*_: object) -> None:
        raise RuntimeError("stumbled")

    text = tmp_path / "text"
    text.write_text("Hi\n")
    monkeypatch.setattr(mailto_delivery, "load_plain", stumble)
    with text.open("rb") as opened:
        monkeypatch.setattr(mailto_delivery, "STDIN", opened.fileno())
        code = mailto.run(["-s", "x", "u@x.example"], {"HOME": str(tmp_path)})
    assert code == 70
    assert capfd.readouterr().err == (
        "mailto: a mistake in Paperpath: RuntimeError('stumbled')\n"
        f"mailto: the message is kept in {tmp_path / 'dead.letter'}\n"
    )
    assert (tmp_path / "dead.letter").read_bytes().endswith(b"\nTo: u@x.example\nSubject: x\n\nHi\n\n")
