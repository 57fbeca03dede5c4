"""Files that commands change: what lies beside them leads nowhere else."""

from pathlib import Path

import pytest

from paperpath.service.edited_file import editing


def test_a_lock_that_is_a_link_leads_to_no_other_file(tmp_path: Path) -> None:
    other, file = tmp_path / "other", tmp_path / "rules"
    other.write_text("kept\n")
    (tmp_path / "rules.lock").symlink_to(other)
    with pytest.raises(OSError, match="symbolic"), editing(file, "# none\n"):
        pass
    assert other.read_text() == "kept\n"


def test_a_lock_is_nobody_elses_to_hold(tmp_path: Path) -> None:
    with editing(tmp_path / "rules", "# none\n"):
        assert (tmp_path / "rules.lock").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "rules").read_text() == "# none\n"
