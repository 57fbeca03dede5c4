"""Users of this host: who counts, and how long an answer of the host is remembered (E-5, F-4)."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.accounts.users import (
    RememberedEntries,
    SystemUser,
    UserLookUpError,
    Users,
    find_user_name,
    is_login_name,
    make_user_way,
    read_entry,
)


def user(name: str, uid: int = 1000) -> SystemUser:
    return SystemUser(name, uid, uid, Path("/home") / name)


def users_of(*them: SystemUser) -> Users:
    return Users({one.name: one for one in them}.get, 1000, 60_000)


def test_E5_a_user_is_found_as_spelt_and_else_in_small_letters() -> None:
    both = users_of(user("joe", 1000), user("Joe", 1001))
    assert [found.uid for found in (both.find("joe"), both.find("Joe"), both.find("JOE")) if found] == [
        1000,
        1001,
        1000,
    ]
    assert users_of(user("Ann")).find("ann") is None


@pytest.mark.parametrize(
    ("uid", "counts"), [(0, False), (999, False), (1000, True), (60_000, True), (60_001, False)]
)
def test_F4_the_number_says_who_has_a_mailbox(uid: int, counts: bool) -> None:
    assert (users_of(user("joe", uid)).find("joe") is not None) is counts


def test_F4_root_never_has_one() -> None:
    assert Users({"root": user("root", 0)}.get, 0, 60_000).find("root") is None


@given(st.text())
def test_F4_nothing_is_looked_up_that_could_be_a_path_or_an_option(local: str) -> None:
    asked: list[str] = []

    def look_up(name: str) -> None:
        asked.append(name)

    assert Users(look_up, 1, 60_000).find(local) is None
    for name in asked:
        assert is_login_name(name)
        assert name.isascii()
        assert not {"/", "\0", "\n", " "} & set(name)
        assert name[0] not in "-."


def test_F4_what_the_host_calls_a_user_is_no_way_out_either() -> None:
    assert Users({"joe": user("../joe")}.get, 1000, 60_000).find("joe") is None


def test_a_destination_tells_whose_it_is() -> None:
    assert find_user_name(make_user_way("joe")) == "joe"
    assert find_user_name("here.example") == find_user_name("agent:joe") == ""


def test_the_host_is_asked() -> None:
    entry = pwd.getpwuid(os.getuid())
    assert read_entry(entry.pw_name) == SystemUser(
        entry.pw_name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir)
    )
    assert read_entry("nobody-has-this-name") is None


class Host:
    """A host that counts how often it is asked, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "passwd"
        self.file.write_text("1")
        self.asked: list[str] = []
        self.known: dict[str, SystemUser] = {}
        self.now_s = 0.0
        self.entries = RememberedEntries(self._read, self.file, lambda: self.now_s)

    def _read(self, name: str) -> SystemUser | None:
        self.asked.append(name)
        return self.known.get(name)


def test_an_answer_is_remembered_for_a_minute_whatever_it_was(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.known["joe"] = user("joe")
    for _ in range(3):
        assert host.entries.look_up("joe") == user("joe")
        assert host.entries.look_up("ann") is None
        host.now_s += 29
    assert host.asked == ["joe", "ann"]
    assert host.entries.look_up("joe") is not None
    assert host.asked == ["joe", "ann", "joe"]


def test_a_user_who_was_just_added_or_removed_is_known_at_once(tmp_path: Path) -> None:
    host = Host(tmp_path)
    assert host.entries.look_up("joe") is None
    host.known["joe"] = user("joe")
    host.file.write_text("12")
    assert host.entries.look_up("joe") == user("joe")
    host.known.clear()
    host.file.unlink()
    assert host.entries.look_up("joe") is None


def test_P6_names_that_strangers_make_up_are_not_all_remembered(tmp_path: Path) -> None:
    host = Host(tmp_path)
    for number in range(10_001):
        host.entries.look_up(f"x{number}")
    assert len(host.entries._entries) == 1


def test_F4_a_host_that_cannot_look_is_not_taken_for_one_without_the_user() -> None:
    """Where no file can be opened Python says of root, too, that there is no such user."""
    code = (
        "import resource\n"
        "from paperpath.accounts.users import UserLookUpError, read_entry\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "try:\n"
        "    print(read_entry('root'))\n"
        "except UserLookUpError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "root cannot be looked up: Too many open files\n"


def test_a_look_up_that_failed_is_not_remembered(tmp_path: Path) -> None:
    is_away = True

    def read(name: str) -> SystemUser | None:
        if is_away:
            raise UserLookUpError(name)
        return user(name)

    entries = RememberedEntries(read, tmp_path / "passwd")
    with pytest.raises(UserLookUpError):
        entries.look_up("joe")
    is_away = False
    assert entries.look_up("joe") == user("joe")
