"""The keys of [dkim]: read, and refused with the reason (I-2)."""

import os
from pathlib import Path

import pytest

from paperpath.config.dkim_table import DkimTable
from paperpath.config.loader import ConfigurationError, parse_configuration
from paperpath.dkim.keys import make_ed25519_key, make_rsa_key
from paperpath.service.errors import ServiceError
from paperpath.service.signing_keys import find_key_doubts, open_keyring
from tests.support.dkim import SHORT_KEY
from tests.unit.config.example import RIGHT


def _read(folder: Path, *entries: str) -> DkimTable:
    text = RIGHT + "".join(f"\n[[dkim.key]]\n{entry}\n" for entry in entries)
    return parse_configuration(text, folder / "paperpath.toml").dkim


def _write(file: Path, pem: str, mode: int = 0o600) -> None:
    file.write_text(pem)
    file.chmod(mode)


def test_I2_two_keys_of_a_domain_are_found_beside_the_configuration(tmp_path: Path) -> None:
    _write(tmp_path / "r.pem", make_rsa_key())
    _write(tmp_path / "e.pem", make_ed25519_key(), 0o640)
    table = _read(
        tmp_path,
        'domain = "Here.example"\nselector = "R"\nfile = "r.pem"',
        'domain = "here.example"\nselector = "e"\nfile = "e.pem"\nsubdomains = true',
    )
    signers = open_keyring(table).find("here.example")
    assert [(one.selector, one.key.algorithm) for one in signers] == [
        ("r", "rsa-sha256"),
        ("e", "ed25519-sha256"),
    ]
    assert [one.selector for one in open_keyring(table).find("sub.here.example")] == ["e"]
    assert find_key_doubts(table) == ([], [])


def test_I2_L4_keys_that_are_short_missing_or_known_to_others_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "short.pem", SHORT_KEY.decode())
    _write(tmp_path / "open.pem", make_ed25519_key(), 0o644)
    names = ("short", "open", "gone")
    table = _read(tmp_path, *(f'domain = "here.example"\nselector = "{n}"\nfile = "{n}.pem"' for n in names))
    with pytest.raises(ServiceError) as refused:
        open_keyring(table)
    assert refused.value.exit_code == os.EX_CONFIG
    short, opened, gone = str(refused.value).splitlines()
    assert "512 bits; fewer than 1024" in short
    assert "run: chmod o-rw" in opened
    assert "gone.pem: cannot be read" in gone
    assert len(find_key_doubts(table)[0]) == 3


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('domain = "here.example"\nselector = "a_b"\nfile = "x"', "expected a selector"),
        ('domain = "here.example"\nselector = ""\nfile = "x"', "expected a selector"),
        ('domain = "example"\nselector = "a"\nfile = "x"', "domain"),
        ('domain = "here.example"\nselector = "a"', "file"),
    ],
)
def test_entries_that_cannot_be_used_are_refused(tmp_path: Path, entry: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        _read(tmp_path, entry)


def test_two_keys_cannot_have_one_name(tmp_path: Path) -> None:
    entry = 'domain = "here.example"\nselector = "a"\nfile = "x"'
    with pytest.raises(ConfigurationError, match=r"a\._domainkey\.here\.example has several"):
        _read(tmp_path, entry, entry)
