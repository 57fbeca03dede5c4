"""Who logs in to imapd: the verifier's rulings in the words of the wire, and whose mail store it is then."""

from dataclasses import dataclass

from paperpath.accounts.file import AccountsFile
from paperpath.accounts.verifier import Ruling
from paperpath.config.tables import Configuration
from paperpath.folders.store.tree import MaildirStore
from paperpath.imap.completion import Completion, no, ok
from paperpath.intake.guest import Guest
from paperpath.intake.judge import Judge
from paperpath.mail.address import Mailbox
from paperpath.smtp.events import KeysWanted, LoginEvent
from paperpath.smtp.scram import ScramKeys

_COMPLETIONS = {
    Ruling.ACCEPTED: ok("Logged in"),
    Ruling.WRONG: no("Wrong name or password", "AUTHENTICATIONFAILED"),
    Ruling.SUSPENDED: no("This account is suspended", "AUTHORIZATIONFAILED"),
    Ruling.THROTTLED: no("Too many failures from there; try again later", "UNAVAILABLE"),
    Ruling.BUSY: no("Too many are logging in; try again later", "UNAVAILABLE"),
}
_NO_MAILBOX = no("This account has no mailbox here", "AUTHORIZATIONFAILED")


@dataclass(frozen=True, slots=True)
class Admission:
    """What somebody is told who wants to log in; `store`, where he is let in."""

    completion: Completion
    ruling: Ruling
    account: Mailbox | None = None
    store: MaildirStore | None = None


class ImapLogins:
    """Has logins judged."""

    def __init__(self, judge: Judge, accounts: AccountsFile, configuration: Configuration) -> None:
        """Take the judge of the process; mailboxes are where the configuration has them."""
        self._judge = judge
        self._accounts = accounts
        self._configuration = configuration

    def find_keys(self, event: KeysWanted, guest: Guest) -> ScramKeys | None:
        """Return the keys of a name; `None` where too many failures came from there."""
        return self._judge.find_keys(event, guest)

    async def judge(self, event: LoginEvent, guest: Guest) -> Admission:
        """Judge a login."""
        verdict = await self._judge.judge(event, guest)
        completion = _COMPLETIONS[verdict.ruling]
        if verdict.account is None:
            return Admission(completion, verdict.ruling)
        store = self._open_store(verdict.account)
        if store is None:
            return Admission(_NO_MAILBOX, verdict.ruling)
        return Admission(completion, verdict.ruling, verdict.account, store)

    def _open_store(self, address: Mailbox) -> MaildirStore | None:
        account = self._accounts.read().find_exact(address)
        if account is None:
            return None
        configuration, quota = self._configuration, account.settings.quota
        return MaildirStore(
            configuration.mailbox_root,
            account.folder,
            quota=configuration.local.quota if quota is None else quota,
        )
