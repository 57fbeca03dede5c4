"""Who logs in to smtpsd: the verifier's rulings in the words of the wire (RFC 4954 §6, requirement A-84).

Whoever has failed too often is answered late: nothing is hashed then, so guesses could come at
the wire's own speed.
"""

import asyncio
from collections.abc import Awaitable, Callable

from paperpath.accounts.verifier import Ruling, Verdict, Verifier
from paperpath.intake.guest import Guest
from paperpath.intake.login import LoginResult
from paperpath.mail.reply import make_reply
from paperpath.smtp import replies
from paperpath.smtp.events import ExternalReceived, KeysWanted, LoginEvent, LoginReceived, PasswordReceived
from paperpath.smtp.scram import ScramKeys

R535_SUSPENDED = make_reply(535, "5.7.13", "This account is suspended")
R454_TOO_MANY_FAILURES = make_reply(454, "4.7.0", "Too many failures from there; try again later")

_REPLIES = {
    Ruling.ACCEPTED: replies.R235_LOGGED_IN,
    Ruling.WRONG: replies.R535_WRONG,
    Ruling.SUSPENDED: R535_SUSPENDED,
    Ruling.THROTTLED: R454_TOO_MANY_FAILURES,
    Ruling.BUSY: replies.R454_NO_LOGIN,
}
_WRONG = Verdict(Ruling.WRONG)
_PAUSE_S = 1.0


async def _pause() -> None:
    await asyncio.sleep(_PAUSE_S)


class SubmissionLogins:
    """Has logins judged by the verifier; see `intake.login.LoginDesk`."""

    def __init__(self, verifier: Verifier, pause: Callable[[], Awaitable[None]] = _pause) -> None:
        """Take the verifier of the process; `pause` comes before somebody hears of too many failures."""
        self._verifier = verifier
        self._pause = pause

    def find_keys(self, event: KeysWanted, guest: Guest) -> ScramKeys | None:
        """Return the keys of a name; `None` where too many failures came from there."""
        return self._verifier.find_scram_keys(event.name, guest.key)

    async def judge(self, event: LoginEvent, guest: Guest) -> LoginResult:
        """Judge a login; nobody acts for another account."""
        verdict = await self._find_verdict(event, guest)
        if verdict.ruling is Ruling.THROTTLED:
            await self._pause()
        return LoginResult(_REPLIES[verdict.ruling], verdict.account)

    async def _find_verdict(self, event: LoginEvent, guest: Guest) -> Verdict:
        if isinstance(event, PasswordReceived):
            verdict = await self._verifier.verify(event.name, event.password, guest.key)
            is_other = verdict.ruling is Ruling.ACCEPTED and not self._is_for(event.acting_for, verdict)
            return _WRONG if is_other else verdict
        if isinstance(event, LoginReceived):
            return self._verifier.conclude_scram(event.name, guest.key)
        if isinstance(event, KeysWanted):
            return Verdict(Ruling.THROTTLED)
        return self._judge_external(event, guest) if isinstance(event, ExternalReceived) else _WRONG

    def _judge_external(self, event: ExternalReceived, guest: Guest) -> Verdict:
        """Judge who the certificate or the socket says; of several, whom asked for (RFC 4422 appendix A)."""
        names = guest.certified or ((guest.login,) if guest.login else ())
        verdicts = [self._verifier.admit(name) for name in names]
        return next((verdict for verdict in verdicts if self._is_for(event.acting_for, verdict)), _WRONG)

    def _is_for(self, name: str, verdict: Verdict) -> bool:
        """Tell whether a verdict is about the account that was asked for; about any, where none was."""
        return not name or self._verifier.admit(name) == verdict
