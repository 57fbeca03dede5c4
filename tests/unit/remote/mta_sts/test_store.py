"""Policies on the disk: they stay, within bounds, and damage is as if there were none (G-39)."""

import os
from pathlib import Path

import pytest

from paperpath.remote.mta_sts.policy import Mode, StsPolicy
from paperpath.remote.mta_sts.store import PolicyStore, StoredPolicy
from paperpath.service.log import open_log

POLICY = StsPolicy(Mode.ENFORCE, 100, ("mx.x.example", "*.x.example"))
NOW_US = 1_700_000_000_000_000
STORED = StoredPolicy("x.example", "7", NOW_US, POLICY)


def open_store(folder: Path, **bounds: int) -> PolicyStore:
    return PolicyStore(folder / "mta-sts", open_log("smtprc"), **bounds)


def only_file(folder: Path) -> Path:
    (file,) = (folder / "mta-sts").iterdir()
    return file


def test_G39_a_policy_stays_until_it_expires_whoever_asks(tmp_path, capfd):
    assert open_store(tmp_path).find("x.example", NOW_US) is None
    open_store(tmp_path).keep(STORED)
    store = open_store(tmp_path)
    assert store.find("x.example", NOW_US) == STORED
    assert store.find("x.example", NOW_US + 99_999_999) == STORED
    assert store.find("x.example", NOW_US + 100_000_000) is None
    assert store.find("y.example", NOW_US) is None
    assert store.find("sub.x.example", NOW_US) is None
    assert capfd.readouterr().err == ""


def test_G39_another_policy_takes_its_place(tmp_path):
    store = open_store(tmp_path)
    store.keep(STORED)
    other = StoredPolicy("x.example", "8", NOW_US, StsPolicy(Mode.NONE, 5, ()))
    store.keep(other)
    assert store.find("x.example", NOW_US) == other
    only_file(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-1],
        lambda text: "",
        lambda text: "\0" * len(text),
        lambda text: text.replace('"7"', "7"),
        lambda text: text.replace("enforce", "enforced"),
        lambda text: text.replace("x.example", "y.example"),
        lambda text: text.replace("1700", "9700"),
        lambda text: text.replace("mx: ", "mx "),
    ],
)
def test_G39_a_damaged_file_is_as_none_and_told_of(tmp_path, capfd, damage):
    store = open_store(tmp_path)
    store.keep(STORED)
    file = only_file(tmp_path)
    text = damage(file.read_text())
    assert text != file.read_text()
    file.write_text(text)
    assert store.find("x.example", NOW_US) is None
    assert "warning a stored MTA-STS policy is left out" in capfd.readouterr().err
    store.keep(STORED)
    assert store.find("x.example", NOW_US) == STORED


def test_G39_S7_no_link_and_no_pipe_is_read(tmp_path, capfd):
    store = open_store(tmp_path)
    store.keep(STORED)
    file = only_file(tmp_path)
    elsewhere = file.rename(tmp_path / "elsewhere")
    file.symlink_to(elsewhere)
    assert store.find("x.example", NOW_US) is None
    file.unlink()
    os.mkfifo(file)
    assert store.find("x.example", NOW_US) is None
    assert capfd.readouterr().err.count("left out") == 2


def test_G39_S7_no_domain_is_a_path(tmp_path):
    store = open_store(tmp_path)
    for domain in ("../../x", "/etc/passwd", "x" * 300, "a/b"):
        stored = StoredPolicy(domain, "1", NOW_US, POLICY)
        store.keep(stored)
        assert store.find(domain, NOW_US) == stored
    files = list((tmp_path / "mta-sts").iterdir())
    assert len(files) == 4
    assert list(tmp_path.iterdir()) == [tmp_path / "mta-sts"]
    assert {len(file.name) for file in files} == {69}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.mark.parametrize("bounds", [{"most_files": 20}, {"most_octets": 20 * 150}])
def test_G39_P6_the_store_is_bounded_and_what_was_fetched_first_goes(tmp_path, bounds):
    store = open_store(tmp_path, **bounds)
    domains = [f"d{number}.example" for number in range(40)]
    for number, domain in enumerate(domains):
        store.keep(StoredPolicy(domain, "1", NOW_US, POLICY))
        file = store._find_file(domain)
        if file.exists():
            os.utime(file, ns=(number, number))
    kept = [domain for domain in domains if store.find(domain, NOW_US) is not None]
    assert kept == domains[-len(kept) :]
    assert 10 < len(kept) <= 20


def test_G39_where_nothing_can_be_stored_that_is_told(tmp_path, capfd):
    (tmp_path / "mta-sts").write_text("in the way")
    store = open_store(tmp_path)
    store.keep(STORED)
    assert store.find("x.example", NOW_US) is None
    said = capfd.readouterr().err
    assert "warning an MTA-STS policy cannot be stored domain=x.example" in said
