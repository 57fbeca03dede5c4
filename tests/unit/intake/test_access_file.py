"""The rules as a file has them now: what is broken leaves in force what was there (L-4, L-13, P7)."""

import os
from pathlib import Path
from typing import Any

import pytest

from paperpath.config.intake_tables import RelayTable
from paperpath.intake.access import ServiceClass
from paperpath.intake.access_file import Access, open_access
from paperpath.service.errors import ServiceError
from paperpath.service.log import open_log


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "rules"
    write(made, "192.0.2.0/24 privileged\n")
    return made


def write(file: Path, text: str, mode: int = 0o644) -> None:
    new = file.with_name("new")
    new.write_text(text)
    new.chmod(mode)
    new.replace(file)


def open_rules(file: Path, **more: Any) -> Access:
    access = [{"clients": ["198.51.100.0/24"], "service": "null"}]
    table = RelayTable.model_validate({"listen": ["127.0.0.1:25"], "access": access, **more})
    return open_access(table.model_copy(update={"access_file": file}), "relay", open_log("test"))


def test_L13_a_replaced_file_holds_at_once_beside_the_configuration(file: Path) -> None:
    access = open_rules(file)
    assert access.read() is access.read()
    assert access.read().classify("192.0.2.1") is ServiceClass.PRIVILEGED
    write(file, "192.0.2.0/25 deny\n198.51.100.0/24 normal\n")
    assert access.read().classify("192.0.2.1") is ServiceClass.DENY
    assert access.read().classify("192.0.2.200") is ServiceClass.NORMAL
    assert access.read().classify("198.51.100.1") is ServiceClass.NORMAL
    write(file, "# none\n")
    assert access.read().classify("192.0.2.1") is ServiceClass.NORMAL
    assert access.read().classify("198.51.100.1") is ServiceClass.NULL


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("192.0.2.0/24 null\n192.0.2.1/24 2\n", 0o644, ":2: expected no bits behind the first 24"),
        ("192.0.2.0/24 null\n::/0 privileged\n", 0o644, ':2: \\"::/0\\" would relay for everyone'),
        ("192.0.2.0/24 null\n", 0o646, "every user of this host may write it"),
        ("", 0o644, "is missing or empty"),
    ],
)
def test_a_broken_file_keeps_the_old_rules_and_the_log_says_why_once(
    file: Path, text: str, mode: int, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    access = open_rules(file)
    write(file, text, mode)
    for _ in range(3):
        assert access.read().classify("192.0.2.1") is ServiceClass.PRIVILEGED
        assert access.read().classify("198.51.100.1") is ServiceClass.NULL
    said = capfd.readouterr().err.replace('"', '\\"') if '\\"' in reason else capfd.readouterr().err
    assert said.count("error file unreadable, what it said before stays in force") == 1
    assert reason in said
    write(file, "192.0.2.0/24 null\n")
    assert access.read().classify("192.0.2.1") is ServiceClass.NULL


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("192.0.2.1/24 2\n", 0o644, "rules:1: expected no bits"),
        ("0.0.0.0/1 2\n128.0.0.0/1 2\n", 0o644, 'rules:1: "0.0.0.0/1" would relay for everyone'),
        ("\n", 0o606, "rules: every user of this host may write it"),
        ("\xe4 2\n", 0o644, "rules:1: expected UTF-8"),
    ],
)
def test_P7_L4_nothing_starts_with_a_file_that_is_wrong(
    file: Path, text: str, mode: int, reason: str
) -> None:
    file.write_bytes(text.encode("latin-1"))
    file.chmod(mode)
    with pytest.raises(ServiceError, match="rules") as caught:
        open_rules(file)
    assert caught.value.exit_code == os.EX_CONFIG
    assert reason in str(caught.value)
    file.unlink()
    with pytest.raises(ServiceError, match="cannot be read"):
        open_rules(file)


def test_P7_file_and_configuration_count_together(file: Path) -> None:
    write(file, "0.0.0.0/2 2\n")
    with pytest.raises(ServiceError, match=r'rules:1: "0\.0\.0\.0/2" would relay for everyone'):
        open_rules(file)
    assert open_rules(file, open_relay=True).read().classify("9.9.9.9") is ServiceClass.PRIVILEGED
