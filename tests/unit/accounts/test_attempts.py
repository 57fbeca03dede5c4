"""Attempts: bounded for an account and a network before anything is hashed, in bounded memory (S-7)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.accounts import attempts as module
from paperpath.accounts.attempts import OF_ACCOUNT, OF_FAMILIAR, OF_NETWORK, Attempts, find_network

JOE = "joe@here.example"
ANN = "ann@here.example"
HOME = "192.0.2.1"
ELSEWHERE = "198.51.100.1"


def count_allowed(attempts: Attempts, account: str, network: str, now_s: float = 0.0) -> int:
    return sum(attempts.begin(account, network, now_s) for _ in range(100))


def test_S7_an_account_is_guessed_so_often_whatever_the_network() -> None:
    attempts = Attempts()
    allowed = sum(attempts.begin(JOE, f"192.0.2.{number}", 0.0) for number in range(100))
    assert allowed == OF_ACCOUNT.failures
    assert attempts.begin(ANN, "192.0.2.1", 0.0)


def test_S7_a_network_guesses_so_often_whatever_the_account() -> None:
    attempts = Attempts()
    allowed = sum(attempts.begin(f"{number}@here.example", HOME, 0.0) for number in range(100))
    assert allowed == OF_NETWORK.failures
    assert attempts.begin("new@here.example", ELSEWHERE, 0.0)


def test_S7_failures_are_forgotten_one_at_a_time() -> None:
    attempts = Attempts()
    assert count_allowed(attempts, JOE, HOME) == OF_ACCOUNT.failures
    assert not attempts.begin(JOE, HOME, OF_ACCOUNT.forgotten_after_s * 0.9)
    assert count_allowed(attempts, JOE, HOME, OF_ACCOUNT.forgotten_after_s * 3) == 3


def test_S7_nobody_is_locked_out_where_he_got_in_by_who_guesses_elsewhere() -> None:
    attempts = Attempts()
    assert attempts.begin(JOE, HOME, 0.0)
    attempts.succeed(JOE, HOME, 0.0)
    count_allowed(attempts, JOE, ELSEWHERE)
    for number in range(100):
        attempts.begin(f"{number}@here.example", HOME, 0.0)
    assert attempts.is_familiar(JOE, HOME, 0.0)
    assert count_allowed(attempts, JOE, HOME) == OF_FAMILIAR.failures  # and may be guessed no oftener there


def test_S7_who_has_one_password_guesses_those_of_others_no_oftener() -> None:
    attempts = Attempts()
    guessed = 0
    for number in range(100):
        if attempts.begin(JOE, HOME, 0.0):
            attempts.succeed(JOE, HOME, 0.0)
        guessed += attempts.begin(f"{number}@here.example", HOME, 0.0)
    assert guessed == OF_NETWORK.failures


def test_S7_successes_and_what_was_taken_back_are_no_failures() -> None:
    attempts = Attempts()
    for _ in range(100):
        assert attempts.begin(JOE, HOME, 0.0)
        attempts.take_back(JOE, HOME, 0.0)
    for _ in range(100):
        assert attempts.begin(JOE, HOME, 0.0)
        attempts.succeed(JOE, HOME, 0.0)
    assert count_allowed(attempts, ANN, HOME) == OF_ACCOUNT.failures


def test_a_network_is_familiar_for_a_week() -> None:
    attempts = Attempts()
    attempts.succeed(JOE, HOME, 0.0)
    assert attempts.is_familiar(JOE, HOME, 6 * 86_400.0)
    assert not attempts.is_familiar(JOE, HOME, 8 * 86_400.0)
    assert not attempts.is_familiar(ANN, HOME, 0.0)


def test_S7_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COUNTS", 50)
    attempts = Attempts()
    for number in range(1000):
        attempts.begin(f"{number}@here.example", f"192.0.2.{number}", 0.0)
        attempts.succeed(f"{number}@here.example", f"192.0.2.{number}", 0.0)
    assert len(attempts._counts) <= 50
    assert len(attempts._familiar) <= 50


@given(
    st.lists(st.tuples(st.sampled_from([JOE, ANN]), st.sampled_from([HOME, ELSEWHERE]), st.floats(0, 100)))
)
def test_S7_no_order_of_failures_allows_more_than_the_bound(
    tried: list[tuple[str, str, float]],
) -> None:
    attempts, now_s = Attempts(), 0.0
    allowed = {JOE: 0, ANN: 0}
    for account, network, pause_s in tried:
        now_s += pause_s
        allowed[account] += attempts.begin(account, network, now_s)
    assert max(allowed.values()) <= OF_ACCOUNT.failures + now_s / OF_ACCOUNT.forgotten_after_s + 1e-6


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_S7_networks(address: str, network: str) -> None:
    assert find_network(address) == network
