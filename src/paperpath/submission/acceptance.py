"""Which recipients submission takes: pure, and so `paperpath explain` asks too (requirements B-3, B-9)."""

from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.routing.router import Router
from paperpath.routing.sorting import judge_recipient
from paperpath.submission.canonical.envelope import complete_recipient
from paperpath.submission.canonical.values import CanonicalRules


def judge_submitted(recipient: Mailbox, rules: CanonicalRules, router: Router) -> tuple[Reply, Mailbox]:
    """Return the reply to a recipient and its completed address: all are taken that the post office takes."""
    completed = complete_recipient(recipient, rules)
    if isinstance(completed, Reply):
        return completed, recipient
    return judge_recipient(router, completed), completed
