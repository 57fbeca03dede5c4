"""Whom a program becomes, and what it then cannot do any more (L-3, L-5)."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from paperpath.service.errors import ServiceError
from paperpath.service.privileges import Identity, acting_as, find_identity, make_owned_folder

USER = "nobody"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("no-such-user", "this host has no user no-such-user"), ("root", "root, whose privileges are to be")],
)
def test_a_user_that_cannot_be_meant_is_refused(name: str, reason: str) -> None:
    with pytest.raises(ServiceError, match=reason) as caught:
        find_identity(name)
    assert caught.value.exit_code == os.EX_CONFIG


def test_only_root_becomes_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(ServiceError, match="only root can become nobody"):
        find_identity(USER)
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam(USER).pw_uid)
    assert find_identity(USER) is None
    assert find_identity(None) is None


def test_L5_no_core_no_tracing_no_new_privileges() -> None:
    script = """
import ctypes, resource
from pathlib import Path
from paperpath.service.privileges import give_up_what_nobody_needs
give_up_what_nobody_needs()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))  # dumpable
print(Path("/proc/self/status").read_text())
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("(0, 0) 0\n")
    assert "NoNewPrivs:\t1\n" in done.stdout


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Identity:
    monkeypatch.setattr("paperpath.service.privileges._check_code", lambda identity: None)
    identity = find_identity(USER)
    assert identity is not None
    return identity


@needs_root
def test_acting_as_another_ends_with_the_block(nobody: Identity) -> None:
    before = (os.geteuid(), os.getegid(), os.getgroups())
    with acting_as(nobody):
        assert (os.geteuid(), os.getegid(), os.getgroups()) == (nobody.uid, nobody.gid, [*nobody.groups])
    assert (os.geteuid(), os.getegid(), os.getgroups()) == before


@needs_root
def test_a_folder_is_made_for_the_user_and_one_of_somebody_else_refused(
    nobody: Identity, tmp_path: Path
) -> None:
    make_owned_folder(tmp_path / "made", nobody)
    assert (tmp_path / "made").stat().st_uid == nobody.uid
    make_owned_folder(tmp_path / "made", nobody)
    (tmp_path / "there").mkdir()
    with pytest.raises(ServiceError, match="does not belong to nobody; run: chown -R nobody: "):
        make_owned_folder(tmp_path / "there", nobody)
