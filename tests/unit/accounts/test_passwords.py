"""Passwords: one form for all spellings, the keys of the RFC's example, and no word of them in an error."""

import base64
import hashlib
import hmac

import pytest

from paperpath.accounts import passwords
from paperpath.accounts.passwords import (
    CheckError,
    PasswordError,
    hash_password,
    is_password,
    make_random_password,
    make_scram_keys,
    prepare_password,
)


def test_S7_spellings_of_a_password_are_one() -> None:
    assert prepare_password("I\u00adX") == "IX"  # the examples of RFC 4013 §3
    assert prepare_password("\u00aa") == "a"
    assert prepare_password("\u2168") == "IX"
    assert prepare_password("a\u00a0b") == "a b"
    assert prepare_password("cafe\u0301") == prepare_password("caf\u00e9")


@pytest.mark.parametrize("text", ["", "\0", "sesame\0", "\u0627\u0031", "\u00ad", "s" * 256, "\u00e9" * 128])
def test_S7_what_no_client_may_send_is_no_password(text: str) -> None:
    with pytest.raises(PasswordError) as caught:
        prepare_password(text)
    assert not text.strip("\0") or text.strip("\0") not in str(caught.value)


def test_a_hash_fits_its_password_alone() -> None:
    kept = hash_password("pencil")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password("pencil", kept)
    assert not is_password("Pencil", kept)
    assert not is_password("", kept)


def test_no_password_fits_where_there_is_none() -> None:
    assert not is_password("", "")
    assert not is_password("pencil", "")


def test_a_damaged_hash_is_no_wrong_password() -> None:
    with pytest.raises(CheckError):
        is_password("pencil", "$argon2id$v=19$m=19456,t=2,p=1$!$!")


def test_A82_the_keys_are_those_of_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    monkeypatch.setattr(passwords, "ITERATIONS", 4096)
    monkeypatch.setattr("secrets.token_bytes", lambda octets: salt)
    keys = make_scram_keys("pencil")
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    told = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
    signature = hmac.digest(keys.server_key, told.encode(), "sha256")
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    mask = hmac.digest(keys.stored_key, told.encode(), "sha256")
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(one ^ other for one, other in zip(proof, mask, strict=True))
    assert hashlib.sha256(client_key).digest() == keys.stored_key


def test_random_passwords_differ_and_can_be_used() -> None:
    made = {make_random_password() for _ in range(50)}
    assert len(made) == 50
    assert all(prepare_password(text) == text for text in made)
