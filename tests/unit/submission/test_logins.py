"""What the verifier rules, in the words of the wire (A-81, A-84, RFC 4422 appendix A)."""

import asyncio
from dataclasses import dataclass, field

import pytest

from paperpath.accounts.verifier import Ruling, Verdict
from paperpath.intake.guest import Guest
from paperpath.intake.judge import Judge
from paperpath.mail.address import Mailbox
from paperpath.service.log import open_log
from paperpath.smtp.events import (
    ExternalReceived,
    KeysWanted,
    LoginEvent,
    LoginFailed,
    LoginReceived,
    PasswordReceived,
)
from paperpath.submission.logins import R454_TOO_MANY_FAILURES, SubmissionLogins

JOE, ANN = Mailbox("joe", "here.example"), Mailbox("ann", "here.example")
ACCOUNTS = {"joe": JOE, "joe@here.example": JOE, "ann@here.example": ANN}


@dataclass
class Verifier:
    """Rules as it is told; knows `ACCOUNTS`."""

    ruling: Ruling = Ruling.ACCEPTED
    asked: list[str] = field(default_factory=list)
    trouble: str | None = None

    async def verify(self, name: str, password: str, client_address: str) -> Verdict:
        self.asked.append(client_address)
        return (
            Verdict(self.ruling, ACCOUNTS[name]) if self.ruling is Ruling.ACCEPTED else Verdict(self.ruling)
        )

    def conclude_scram(self, name: str, client_address: str) -> Verdict:
        return Verdict(self.ruling, ACCOUNTS[name])

    def admit(self, name: str) -> Verdict:
        account = ACCOUNTS.get(name)
        return Verdict(Ruling.WRONG) if account is None else Verdict(Ruling.ACCEPTED, account)

    def take_trouble(self) -> str | None:
        return self.trouble


def judge(event: LoginEvent, guest: Guest, verifier: Verifier | None = None) -> tuple[str, Mailbox | None]:
    pauses: list[LoginEvent] = []

    async def pause() -> None:
        pauses.append(event)

    desk = SubmissionLogins(Judge(verifier or Verifier(), open_log("test"), pause))  # type: ignore[arg-type]
    result = asyncio.run(desk.judge(event, guest))
    assert bool(pauses) is (result.reply == R454_TOO_MANY_FAILURES)
    return f"{result.reply.code} {result.reply.status}", result.account


@pytest.mark.parametrize(
    ("ruling", "said"),
    [
        (Ruling.WRONG, "535 5.7.8"),
        (Ruling.SUSPENDED, "535 5.7.13"),
        (Ruling.THROTTLED, "454 4.7.0"),
        (Ruling.BUSY, "454 4.7.0"),
    ],
)
@pytest.mark.parametrize("acting_for", ["", "ann@here.example"])
def test_A84_each_ruling_has_its_reply(ruling: Ruling, said: str, acting_for: str) -> None:
    event = PasswordReceived("PLAIN", "joe", acting_for, "secret")
    assert judge(event, Guest("192.0.2.1"), Verifier(ruling)) == (said, None)


def test_A81_nobody_acts_for_another_and_all_may_name_themselves() -> None:
    for acting_for, outcome in (
        ("", ("235 2.7.0", JOE)),
        ("joe@here.example", ("235 2.7.0", JOE)),
        ("ann@here.example", ("535 5.7.8", None)),
        ("nobody", ("535 5.7.8", None)),
    ):
        assert judge(PasswordReceived("PLAIN", "joe", acting_for, "secret"), Guest("192.0.2.1")) == outcome


def test_S7_users_of_this_host_are_counted_apart() -> None:
    verifier = Verifier()
    for guest in (Guest("192.0.2.1"), Guest("", uid=1000)):
        judge(PasswordReceived("PLAIN", "joe", "", "secret"), guest, verifier)
    assert verifier.asked == ["192.0.2.1", "uid 1000"]


def test_S7_who_gets_no_keys_has_failed_too_often() -> None:
    assert judge(KeysWanted("SCRAM-SHA-256", "joe"), Guest("192.0.2.1")) == ("454 4.7.0", None)


def test_A82_who_proved_it_by_scram_is_let_in_and_who_did_not_is_not() -> None:
    assert judge(LoginReceived("SCRAM-SHA-256", "joe"), Guest("")) == ("235 2.7.0", JOE)
    assert judge(LoginFailed("SCRAM-SHA-256", "joe"), Guest("")) == ("535 5.7.8", None)


@pytest.mark.parametrize(
    ("certified", "acting_for", "account"),
    [
        (("joe@here.example",), "", JOE),
        (("joe@here.example", "ann@here.example"), "ann@here.example", ANN),
        (("else@else.example", "ann@here.example"), "ann@here.example", ANN),
        (("joe@here.example",), "ann@here.example", None),
        (("else@else.example",), "", None),
        ((), "joe@here.example", None),
    ],
)
def test_EXTERNAL_is_who_the_certificate_says(
    certified: tuple[str, ...], acting_for: str, account: Mailbox | None
) -> None:
    reply, found = judge(ExternalReceived("EXTERNAL", acting_for), Guest("192.0.2.1", certified=certified))
    assert (reply[:3], found) == ("535" if account is None else "235", account)


def test_EXTERNAL_on_the_local_socket_is_the_user_of_that_name() -> None:
    assert judge(ExternalReceived("EXTERNAL", ""), Guest("", uid=1, login="joe")) == ("235 2.7.0", JOE)
    assert judge(ExternalReceived("EXTERNAL", ""), Guest("", uid=1))[0] == "535 5.7.8"


@pytest.mark.parametrize(
    "event", [PasswordReceived("PLAIN", "joe", "", "x"), LoginFailed("SCRAM-SHA-256", "joe")]
)
def test_L5_secrets_that_cannot_be_read_are_told_to_the_log(
    event: LoginEvent, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else an administrator who writes nonsense there thinks that it is in force."""
    judge(event, Guest("192.0.2.1"), Verifier(trouble="secrets: line 5: expected an address"))
    assert "error file unreadable" in capsys.readouterr().err
