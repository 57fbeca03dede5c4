"""Secrets: a store of its own, its owner's alone, changed whole, silent about what is in it (L-4, L-5)."""

import dataclasses
from pathlib import Path

import pytest

from paperpath.accounts.lines import AccountsError
from paperpath.accounts.secrets import (
    Limits,
    Secret,
    SecretsFile,
    change_secret,
    load_secrets,
    parse_secrets,
    remove_secret,
)
from paperpath.mail.address import Mailbox
from paperpath.smtp.scram import ScramKeys

JOE = Mailbox("joe", "here.example")
ANN = Mailbox("ann", "here.example")
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBvdGhlciBzYWx0$" + "B" * 43
KEYS = ScramKeys(b"s" * 32, 100_000, b"t" * 32, b"v" * 32)
KEY_LINE = "key\tMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def set_password(secret: Secret) -> Secret:
    return dataclasses.replace(secret, password_hash=HASH, scram=KEYS)


def test_what_is_written_is_read_again(file: Path) -> None:
    change_secret(file, ANN, lambda secret: dataclasses.replace(secret, limits=Limits(500, 100)))
    change_secret(file, JOE, set_password)
    full = change_secret(file, ANN, lambda secret: dataclasses.replace(secret, is_suspended=True))
    assert full == Secret(ANN, is_suspended=True, limits=Limits(500, 100))
    assert list(load_secrets(file)) == [full, Secret(JOE, HASH, KEYS)]


def test_the_key_is_made_once_and_stays(file: Path) -> None:
    change_secret(file, JOE, set_password)
    key = load_secrets(file).key
    assert len(key) == 32
    change_secret(file, ANN, set_password)
    assert remove_secret(file, JOE)
    assert remove_secret(file, ANN)
    assert not remove_secret(file, ANN)
    assert load_secrets(file).key == key
    assert not list(load_secrets(file))


def test_L5_the_file_is_its_owners_alone(file: Path) -> None:
    change_secret(file, JOE, set_password)
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_L4_a_file_that_others_may_touch_is_refused(file: Path, mode: int) -> None:
    change_secret(file, JOE, set_password)
    file.chmod(mode)
    with pytest.raises(AccountsError, match="chmod 600"):
        load_secrets(file)


@pytest.mark.parametrize(
    "line",
    [
        "joe@here.example\n",
        "joe@here.example\tSESAME\t-\t-\n",
        "joe@here.example\t-\tSESAME\t-\n",
        "joe@here.example\t-\tSCRAM-SHA-256$4095:c29tZSBvdGhlciBzYWx0$SESAME\t-\n",
        "joe@here.example\t-\t-\tSESAME\n",
        "joe@here.example\t-\t-\tmessages=5 messages=6\n",
        "joe@here.example\t-\t-\tmessages=0\n",
        "SESAME\t-\t-\t-\n",
        "key\tSESAME!\n",
    ],
)
def test_L5_a_broken_line_is_named_and_not_shown(line: str) -> None:
    with pytest.raises(AccountsError, match="line 2: ") as caught:
        parse_secrets(KEY_LINE + line)
    assert "SESAME" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_secrets_without_a_key_are_refused() -> None:
    with pytest.raises(AccountsError, match="key"):
        parse_secrets(f"joe@here.example\t{HASH}\t-\t-\n")


def test_L5_no_repr_has_a_secret_in_it() -> None:
    shown = repr(Secret(JOE, HASH, KEYS))
    assert "BBBB" not in shown
    assert "tttt" not in shown


def test_a_replaced_file_is_noticed(file: Path) -> None:
    watched = SecretsFile(file)
    assert not list(watched.read())
    change_secret(file, JOE, set_password)
    assert watched.read().find(Mailbox("JOE", "HERE.example")) is not None
