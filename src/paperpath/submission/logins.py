"""Who logs in to smtpsd: the verifier's rulings in the words of the wire (RFC 4954 §6, requirement A-84)."""

from paperpath.accounts.verifier import Ruling
from paperpath.intake.guest import Guest
from paperpath.intake.judge import Judge
from paperpath.intake.login import LoginResult
from paperpath.mail.reply import make_reply
from paperpath.smtp import replies
from paperpath.smtp.events import KeysWanted, LoginEvent
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


class SubmissionLogins:
    """Has logins judged; see `intake.login.LoginDesk`."""

    def __init__(self, judge: Judge) -> None:
        """Take the judge of the process."""
        self._judge = judge

    def find_keys(self, event: KeysWanted, guest: Guest) -> ScramKeys | None:
        """Return the keys of a name; `None` where too many failures came from there."""
        return self._judge.find_keys(event, guest)

    async def judge(self, event: LoginEvent, guest: Guest) -> LoginResult:
        """Judge a login."""
        verdict = await self._judge.judge(event, guest)
        return LoginResult(_REPLIES[verdict.ruling], verdict.account)
