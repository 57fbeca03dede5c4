"""Who logs in, by whatever way in: the verifier's rulings on what was proved, or claimed (requirement A-84).

Used by smtpsd and imapd, which say it in the words of their wires. Whoever has failed too often is answered
late: nothing is hashed then, so guesses could come at the wire's own speed.
"""

import asyncio
from collections.abc import Awaitable, Callable

from paperpath.accounts.verifier import Ruling, Verdict, Verifier
from paperpath.intake.guest import Guest
from paperpath.service.log import Log
from paperpath.smtp.events import ExternalReceived, KeysWanted, LoginEvent, LoginReceived, PasswordReceived
from paperpath.smtp.scram import ScramKeys

_WRONG = Verdict(Ruling.WRONG)
_PAUSE_S = 1.0


async def _pause() -> None:
    await asyncio.sleep(_PAUSE_S)


class Judge:
    """Has logins judged; nobody acts for another account."""

    def __init__(self, verifier: Verifier, log: Log, pause: Callable[[], Awaitable[None]] = _pause) -> None:
        """Take the verifier of the process; `pause` comes before somebody hears of too many failures."""
        self._verifier = verifier
        self._log = log
        self._pause = pause

    def find_keys(self, event: KeysWanted, guest: Guest) -> ScramKeys | None:
        """Return the keys of a name; `None` where too many failures came from there."""
        return self._verifier.find_scram_keys(event.name, guest.key)

    async def judge(self, event: LoginEvent, guest: Guest) -> Verdict:
        """Judge a login."""
        verdict = await self._find_verdict(event, guest)
        if (trouble := self._verifier.take_trouble()) is not None:
            self._log.error("file unreadable, what it said before stays in force", reason=trouble)
        if verdict.ruling is Ruling.THROTTLED:
            await self._pause()
        return verdict

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
