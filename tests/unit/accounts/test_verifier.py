"""Logging in: right and wrong, the same for unknown names, and no one's guesses are another's delay (S-7)."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.accounts import verifier as module
from paperpath.accounts.attempts import OF_ACCOUNT
from paperpath.accounts.file import AccountsFile, add_account
from paperpath.accounts.passwords import hash_password, make_scram_keys
from paperpath.accounts.secrets import Secret, SecretsFile, change_secret
from paperpath.accounts.verifier import Ruling, Verdict, Verifier
from paperpath.mail.address import Mailbox

JOE = Mailbox("joe", "here.example")
ANN = Mailbox("ann", "here.example")
HOME = "192.0.2.1"
HASH = hash_password("pencil")
KEYS = make_scram_keys("pencil")
ACCEPTED = Verdict(Ruling.ACCEPTED, JOE)
WRONG = Verdict(Ruling.WRONG)


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    change_secret(made, JOE, lambda secret: dataclasses.replace(secret, password_hash=HASH, scram=KEYS))
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(file: Path, clock: Clock) -> Iterator[Verifier]:
    made = Verifier(SecretsFile(file), AccountsFile(file.parent / "accounts"), "here.example", clock)
    yield made
    made.close()


def verify(verifier: Verifier, name: str, password: str, address: str = HOME) -> Verdict:
    return asyncio.run(verifier.verify(name, password, address))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Against which hashes a password was held."""
    held: list[str] = []

    def compare(prepared: str, password_hash: str) -> bool:
        held.append(password_hash)
        return password_hash != "" and prepared == "pencil"

    monkeypatch.setattr(module, "is_password", compare)
    return held


@pytest.mark.parametrize(
    "name", ["joe@here.example", "JOE@HERE.example", "joe", "\uff4aoe", '"joe"@here.example']
)
def test_A84_a_right_password_names_the_account(verifier: Verifier, name: str) -> None:
    assert verify(verifier, name, "pencil") == ACCEPTED


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("joe@here.example", "Pencil"),
        ("joe@here.example", ""),
        ("joe@here.example", "pencil\0"),
        ("joe@else.example", "pencil"),
        ("", ""),
        ("\0joe", "pencil"),
        ("@", "pencil"),
        ("x" * 1_000_000, "y" * 1_000_000),
    ],
)
def test_S7_A84_whatever_is_wrong_is_hashed_once(
    verifier: Verifier, hashed: list[str], name: str, password: str
) -> None:
    assert verify(verifier, name, password) == WRONG
    assert len(hashed) == 1


def test_S7_an_unknown_name_is_held_against_the_hash_of_nobody(verifier: Verifier, hashed: list[str]) -> None:
    verify(verifier, "joe", "guess")
    verify(verifier, "nobody", "guess")
    assert hashed == [HASH, ""]


def test_a_suspended_account_is_told_so_only_if_it_is_the_account(verifier: Verifier, file: Path) -> None:
    change_secret(file, JOE, lambda secret: dataclasses.replace(secret, is_suspended=True))
    assert verify(verifier, "joe", "guess") == WRONG
    assert verify(verifier, "joe", "pencil") == Verdict(Ruling.SUSPENDED)
    assert verifier.admit("joe") == Verdict(Ruling.SUSPENDED)


def test_an_account_without_a_password_cannot_log_in(verifier: Verifier, file: Path) -> None:
    change_secret(file, ANN, lambda secret: secret)
    assert verify(verifier, "ann", "") == WRONG
    assert verifier.admit("ann") == Verdict(Ruling.ACCEPTED, ANN)


def test_who_is_proved_by_other_means_need_only_be_an_account(verifier: Verifier, file: Path) -> None:
    assert verifier.admit("ann@here.example") == WRONG
    add_account(file.parent / "accounts", ANN)
    assert verifier.admit("ann@here.example") == Verdict(Ruling.ACCEPTED, ANN)


def test_who_is_proved_by_other_means_is_not_who_is_spelt_in_another_case(
    verifier: Verifier, file: Path
) -> None:
    """Else a certificate for Joe, who has no password, would let him in as joe, who has one."""
    other = Mailbox("Joe", "here.example")
    for account in (JOE, other):
        add_account(file.parent / "accounts", account)
    change_secret(file, JOE, lambda secret: dataclasses.replace(secret, is_suspended=True))
    assert verifier.admit("joe@here.example") == Verdict(Ruling.SUSPENDED)
    assert verifier.admit("Joe@here.example") == Verdict(Ruling.ACCEPTED, other)
    assert verifier.find_secret(other) is None


def test_S7_the_limits_come_before_the_hash(verifier: Verifier, hashed: list[str], clock: Clock) -> None:
    for _ in range(OF_ACCOUNT.failures):
        assert verify(verifier, "joe", "guess", "198.51.100.1") == WRONG
    assert verify(verifier, "joe", "pencil", "203.0.113.1") == Verdict(Ruling.THROTTLED)
    assert len(hashed) == OF_ACCOUNT.failures
    clock.now_s += OF_ACCOUNT.forgotten_after_s
    assert verify(verifier, "joe", "pencil", "203.0.113.1") == ACCEPTED


def test_S7_spellings_of_a_name_share_its_limit(verifier: Verifier, hashed: list[str]) -> None:
    for name in ("joe", "JOE", "joe@here.example", "Joe@HERE.example", '"joe"@here.example') * 2:
        verify(verifier, name, "guess", "198.51.100.1")
    for name in ("no", "NO", "no@here.example", "No@HERE.example", '"no"@here.example') * 2:
        verify(verifier, name, "guess", "198.51.100.2")
    assert len(hashed) == 2 * OF_ACCOUNT.failures
    assert verify(verifier, "joe", "guess", "198.51.100.3") == Verdict(Ruling.THROTTLED)
    assert verify(verifier, "no", "guess", "198.51.100.3") == Verdict(Ruling.THROTTLED)


def test_S7_a_proof_lasts_five_minutes_and_no_longer_than_its_password(
    verifier: Verifier, hashed: list[str], clock: Clock, file: Path
) -> None:
    for _ in range(3):
        assert verify(verifier, "joe", "pencil") == ACCEPTED
    assert len(hashed) == 1
    assert verify(verifier, "joe", "Pencil") == WRONG
    assert len(hashed) == 2
    clock.now_s += 301
    verify(verifier, "joe", "pencil")
    assert len(hashed) == 3
    change_secret(file, JOE, lambda secret: dataclasses.replace(secret, password_hash=hash_password("other")))
    verify(verifier, "joe", "pencil")
    assert len(hashed) == 4


def test_S7_strangers_fill_their_own_lane_only(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify(verifier, "joe", "pencil") == ACCEPTED
    go_on = threading.Event()

    def compare(prepared: str, password_hash: str) -> bool:
        if prepared == "guess":
            assert go_on.wait(60)
        return prepared == "pencil!"

    async def attack() -> tuple[list[Verdict], Verdict]:
        guesses = [
            asyncio.create_task(verifier.verify(f"{number}@x.example", "guess", f"198.51.100.{number}"))
            for number in range(100)
        ]
        await asyncio.sleep(0)
        known = await verifier.verify("joe", "pencil!", HOME)
        go_on.set()
        return await asyncio.gather(*guesses), known

    monkeypatch.setattr(module, "is_password", compare)
    guesses, known = asyncio.run(attack())
    assert known == ACCEPTED
    assert guesses.count(Verdict(Ruling.BUSY)) == 100 - 1 - module._MOST_WAITING
    assert guesses.count(WRONG) == 1 + module._MOST_WAITING


def test_S7_who_gives_up_waiting_leaves_room(verifier: Verifier, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(module, "is_password", lambda *_: go_on.wait(60) and False)

    async def come_and_go() -> Verdict:
        for number in range(200):
            task = asyncio.create_task(
                verifier.verify(f"{number}@x.example", "guess", f"198.51.100.{number}")
            )
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        go_on.set()
        return await verifier.verify("joe", "guess", HOME)

    assert asyncio.run(come_and_go()) == WRONG


@pytest.mark.parametrize(("name", "verdict"), [("joe", ACCEPTED), ("nobody", WRONG)])
def test_S7_equal_logins_at_once_are_one_attempt(
    verifier: Verifier, hashed: list[str], name: str, verdict: Verdict
) -> None:
    async def log_in() -> list[Verdict]:
        logins = (verifier.verify(name, "pencil", HOME) for _ in range(5 * OF_ACCOUNT.failures))
        return await asyncio.gather(*logins)

    assert asyncio.run(log_in()) == [verdict] * 5 * OF_ACCOUNT.failures
    assert len(hashed) == 1


def test_S7_only_equal_logins_are_joined(verifier: Verifier, hashed: list[str]) -> None:
    async def log_in() -> list[Verdict]:
        passwords = ("pencil", "guess", "Pencil")
        homes = (verifier.verify("joe", password, HOME) for password in passwords)
        return await asyncio.gather(*homes, verifier.verify("joe", "guess", "198.51.100.1"))

    assert asyncio.run(log_in()) == [ACCEPTED, WRONG, WRONG, WRONG]
    assert len(hashed) == 4


def test_S7_who_leaves_does_not_end_the_login_of_others(
    verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(module, "is_password", lambda *_: go_on.wait(60))

    async def log_in() -> Verdict:
        first, second = (asyncio.create_task(verifier.verify("joe", "pencil", HOME)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        go_on.set()
        return await second

    assert asyncio.run(log_in()) == ACCEPTED


def test_S7_keys_of_unknown_names_look_like_others_and_stay(verifier: Verifier, file: Path) -> None:
    assert verifier.find_scram_keys("JOE", HOME) == KEYS
    invented = verifier.find_scram_keys("nobody", HOME)
    assert invented is not None
    assert (len(invented.salt), invented.iterations) == (len(KEYS.salt), KEYS.iterations)
    assert verifier.find_scram_keys("Nobody@here.example", HOME) == invented
    assert verifier.find_scram_keys("somebody", HOME) != invented
    change_secret(file, Mailbox("nobody", "here.example"), lambda secret: secret)  # known, without a password
    again = Verifier(SecretsFile(file), AccountsFile(file.parent / "accounts"), "here.example")
    assert again.find_scram_keys("nobody", HOME) == invented
    again.close()


def test_S7_attempts_by_scram_are_limited_too(verifier: Verifier) -> None:
    for _ in range(100):
        assert verifier.find_scram_keys("joe", HOME) is not None
        assert verifier.conclude_scram("joe", HOME) == ACCEPTED
    found = [verifier.find_scram_keys("nobody", HOME) for _ in range(100)]
    assert len(found) - found.count(None) == OF_ACCOUNT.failures


def test_a_name_that_is_no_account_does_not_get_in_by_scram(verifier: Verifier) -> None:
    assert verifier.conclude_scram("nobody", HOME) == WRONG


def test_limits_are_found_by_the_account(verifier: Verifier) -> None:
    assert verifier.find_secret(JOE) == Secret(JOE, HASH, KEYS)
    assert verifier.find_secret(ANN) is None
