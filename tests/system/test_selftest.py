"""`paperpath selftest` on all programs as they run: nothing is wrong with them, and nothing comes of it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.installation import program_path
from tests.support.submission import Submission

pytestmark = pytest.mark.slow


def test_P7_S8_A35_L3_the_running_programs_pass_every_part(tmp_path: Path) -> None:
    installation = Submission(tmp_path)
    tmp_path.chmod(0o755)
    with installation.up():
        before = installation.books()
        command = [program_path("paperpath"), "selftest", "--config", str(installation.file), "--json"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.stderr == ""
        found = json.loads(done.stdout)
        # What lies under the tests, memory perhaps, is not theirs to choose.
        disks = found.pop("durability")
        assert len(disks) == 3
        wrong = [one for ones in found.values() for one in ones if one["verdict"] in ("fault", "not tried")]
        assert wrong == []
        assert {
            name: {one["verdict"] for one in found[name]} for name in ("starttls", "smuggling", "relay")
        } == {
            "starttls": {"good"},
            "smuggling": {"good"},
            "relay": {"good"},
        }
        assert [one["verdict"] for one in found["permissions"]] == ["good"]
        shown = [one["verdict"] for one in found["configuration"] if "certificate it shows" in one["tried"]]
        assert shown == ["good"] * 3
        assert len(found["starttls"]) == 4
        for way_in in (f"127.0.0.1:{installation.port}", "submission"):
            assert sum(one["tried"].startswith(way_in) for one in found["smuggling"]) > 25
        assert installation.books() == before
