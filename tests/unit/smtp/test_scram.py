"""SCRAM-SHA-256 on both sides: the example of RFC 7677, and either side against a peer that cheats."""

import base64
import hashlib
import hmac
import re
import string
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperpath.smtp.scram import LEAST_ITERATIONS, Prover, ScramError, Verifier, derive_keys
from tests.support.core import CLIENT_NONCE, SALT, SERVER_NONCE

KEYS = derive_keys("pencil", SALT, LEAST_ITERATIONS)
FIRST = f"n,,n=user,r={CLIENT_NONCE}".encode()
CHALLENGE = f"r={CLIENT_NONCE}{SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
PROOF = b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
FINAL = f"c=biws,r={CLIENT_NONCE}{SERVER_NONCE},".encode() + PROOF
SERVER_PROOF = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_A82_the_example_of_the_rfc_on_both_sides() -> None:
    prover, verifier = Prover("user", "pencil", CLIENT_NONCE), Verifier(FIRST)
    assert (prover.first, verifier.name) == (FIRST, "user")
    assert verifier.begin(KEYS, SERVER_NONCE) == CHALLENGE
    assert prover.prove(CHALLENGE) == FINAL
    assert verifier.verify(FINAL) == SERVER_PROOF
    assert prover.verify(SERVER_PROOF) == b""


def prove(password: str, said: str) -> str:
    """Make a client's proof of a whole exchange, by RFC 5802 §3 and no library."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, LEAST_ITERATIONS)
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(key).digest(), said.encode(), "sha256")
    return base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()


@settings(max_examples=20)
@given(st.text("ab=,äß€", min_size=1, max_size=20), st.text(string.printable[:94], min_size=1, max_size=20))
def test_A82_whoever_knows_the_password_gets_in_and_nobody_else(name: str, password: str) -> None:
    keys = derive_keys(password, SALT, LEAST_ITERATIONS)
    for said in (password, password + "x"):
        prover = Prover(name, said, CLIENT_NONCE)
        verifier = Verifier(prover.first)
        assert verifier.name == name
        final = prover.prove(verifier.begin(keys, SERVER_NONCE))
        if said == password:
            assert prover.verify(verifier.verify(final)) == b""
        else:
            with pytest.raises(ScramError):
                verifier.verify(final)


@pytest.mark.parametrize("name", ["user", "us=2Cer", "\u2168"])
def test_A82_who_names_himself_twice_gets_in_and_the_proof_covers_that(name: str) -> None:
    bare = f"n={name},r=x"
    header = base64.b64encode(f"n,a={name},".encode()).decode()
    for said, is_right in ((header, True), ("biws", False)):
        verifier = Verifier(f"n,a={name},{bare}".encode())
        first = verifier.begin(KEYS, "y").decode()
        final = f"c={said},r=xy"
        proof = prove("pencil", f"{bare},{first},{final}")
        message = f"{final},p={proof}".encode()
        if is_right:
            assert verifier.verify(message).startswith(b"v=")
        else:
            with pytest.raises(ScramError):
                verifier.verify(message)


def test_A82_names_and_passwords_are_prepared_on_both_sides() -> None:
    keys = derive_keys("\ufb01sh\u00ad", SALT, LEAST_ITERATIONS)
    assert keys == derive_keys("fish", SALT, LEAST_ITERATIONS)
    prover = Prover("\u2168", "fi\u00adsh", CLIENT_NONCE)
    verifier = Verifier(prover.first)
    assert verifier.name == "IX"
    prover.verify(verifier.verify(prover.prove(verifier.begin(keys, SERVER_NONCE))))


@pytest.mark.parametrize(
    "first",
    [
        b"", b"n", b"n,,", b"n,,n=,r=x", b"n,,n=user", b"n,,n=user,r=", b"n,,r=x,n=user", b"n,,n=us=er,r=x",
        b"n,,n=\0,r=x", b"n,,n=\xff,r=x", b"x,,n=user,r=x", b"n,a=tim,n=user,r=x", b"n,=user,n=user,r=x",
        b"n,user,n=user,r=x", b"n,a=,n=,r=x", b"n,n=user,n=user,r=x", b"n,a=user,a=user,r=x",
        b"n,,m=x,n=user,r=x",
        b"p=tls-exporter,,n=user,r=x", b"n,,n=user,n=tim,r=x", b"n,,n=user,r=x\x7f",
        b"n,,n=" + b"x" * 600 + b",r=x",
    ],
)  # fmt: skip
def test_A82_S7_what_is_no_first_message_is_refused(first: bytes) -> None:
    with pytest.raises(ScramError):
        Verifier(first)


def test_S7_a_name_that_would_become_much_longer_is_not_even_prepared() -> None:
    assert Verifier("n,,n=\ufdfb,r=x".encode()).name.startswith("\u062c\u0644 ")
    with pytest.raises(ScramError, match="too long"):
        Verifier(b"n,,n=" + "\ufdfa".encode() * 100 + b",r=x")


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (b"s=W22Z", b"s=W"), (b"s=", b"m=x,s="), (b"i=4096", b"i=4095"), (b"i=4096", b"i=500001"),
        (b"i=4096", b"i=04096"), (b"i=4096", b"i=" + b"9" * 5000), (b"r=r", b"r=x"),
        (SERVER_NONCE.encode(), b""), (CHALLENGE, b"e=other-error"), (CHALLENGE, b"\xff"), (CHALLENGE, b""),
    ],
)  # fmt: skip
def test_S12_a_server_that_cheats_gets_no_proof(was: bytes, now: bytes) -> None:
    assert was in CHALLENGE
    with pytest.raises(ScramError):
        Prover("user", "pencil", CLIENT_NONCE).prove(CHALLENGE.replace(was, now))


@pytest.mark.parametrize(
    "final", [b"", b"v=", b"v=eA==", b"e=invalid-proof", SERVER_PROOF + b"x", b"\xff", b"v=~"]
)
def test_S12_a_server_that_proves_nothing_is_found_out(final: bytes) -> None:
    prover = Prover("user", "pencil", CLIENT_NONCE)
    prover.prove(CHALLENGE)
    with pytest.raises(ScramError):
        prover.verify(final)


@pytest.mark.parametrize(
    ("user", "password"), [("", "x"), ("user", "\u0007"), ("user", "\ue000"), ("\u0628a", "x")]
)
def test_what_cannot_be_prepared_is_told_without_being_shown(user: str, password: str) -> None:
    with pytest.raises(ScramError) as caught:
        Prover(user, password, CLIENT_NONCE)
    assert re.fullmatch(r"[a-z ]+", str(caught.value))
    assert caught.value.__suppress_context__


@pytest.mark.slow
@pytest.mark.parametrize("program", ["relay.smtprd", "remote.smtprc"])
def test_who_logs_nobody_in_does_not_load_what_it_takes(program: str) -> None:
    code = f"import sys, paperpath.{program}; sys.exit('scramp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
