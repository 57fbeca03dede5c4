"""What the ways in answer to a sender and a recipient: their own decisions, one after another.

Called by `paperpath explain rcpt`. Without a client it is a normal one of the relay, and one of submission
that has logged in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paperpath.commands.explain_client import ClientView
from paperpath.config.tables import Configuration
from paperpath.intake.access import ServiceClass
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.relay.acceptance import Acceptance
from paperpath.routing.router import Router
from paperpath.smtp import replies
from paperpath.submission.acceptance import judge_submitted
from paperpath.submission.canonical.envelope import complete_sender
from paperpath.submission.canonical.values import CanonicalRules


@dataclass(frozen=True, slots=True)
class Case:
    """One way in, and who has come in; `is_stranger`: submission knows nobody yet. `name` says all that."""

    name: str
    view: ClientView | None
    is_submission: bool = False
    is_stranger: bool = False

    @property
    def service(self) -> ServiceClass:
        """Which service the client gets."""
        return ServiceClass.NORMAL if self.view is None else self.view.service


def list_cases(configuration: Configuration, views: Mapping[str, ClientView]) -> Iterator[Case]:
    """Give the cases that there are of a client, or of any."""
    yield Case("relay", views.get("relay"))
    if configuration.submission is None:
        return
    view = views.get("submission")
    is_stranger = view is not None and view.service is ServiceClass.NORMAL
    yield Case("submission", view, is_submission=True, is_stranger=is_stranger)
    if is_stranger:
        yield Case("submission after a login", view, is_submission=True)


class Judges:
    """Who decides, by one configuration and the files as they are now."""

    def __init__(self, configuration: Configuration, router: Router, rules: CanonicalRules) -> None:
        """Take the rules."""
        self._acceptance = Acceptance(configuration.relay)
        self._router = router
        self._rules = rules

    def judge_sender(self, case: Case, sender: Mailbox | None) -> Reply | None:
        """Return the reply to MAIL; `None`, where the connection is closed without a word."""
        if case.service is ServiceClass.DENY:
            return None
        if (refusal := _find_refusal(case)) is not None:
            return refusal
        if sender is None or not case.is_submission:
            return replies.R250_SENDER
        completed = complete_sender(sender, self._rules)
        return completed if isinstance(completed, Reply) else replies.R250_SENDER

    def judge_recipient(self, case: Case, recipient: Mailbox) -> Reply | None:
        """Return the reply to RCPT; `None` as for a sender."""
        if case.service is ServiceClass.DENY:
            return None
        if (refusal := _find_refusal(case)) is not None:
            return refusal
        if case.view is not None and (refusal := case.view.ruling.judge(recipient)) is not None:
            return refusal
        if case.is_submission:
            return judge_submitted(recipient, self._rules, self._router)[0]
        return self._acceptance.judge(recipient, self._router, case.service)


def _find_refusal(case: Case) -> Reply | None:
    """Return what every command is answered with."""
    if case.service is ServiceClass.NULL:
        return replies.R503_NO_SERVICE
    return replies.R530_LOGIN_FIRST if case.is_stranger else None
