"""One mailbox completed and masqueraded, the same in the header and in the envelope (B-9, B-19, B-20).

Called by envelope.py, addresses.py and originators.py, and by whoever has to know who hands a message in.
"""

from paperpath.mail.address import Mailbox
from paperpath.mail.domain import domain_key
from paperpath.mail.local_part import fold_local
from paperpath.submission.canonical.values import CanonicalRules, Masquerade

ONE_LABEL = "has a domain of one label; write the full one"


def complete_domain(mailbox: Mailbox, rules: CanonicalRules) -> Mailbox | None:
    """Return a mailbox with a full domain and no dot behind it; `None` where it has one label and must not.

    One without a domain gets that of the rules; whether it may have it, is for the caller to judge.
    """
    domain = mailbox.domain
    if not domain:
        return Mailbox(mailbox.local, rules.domain)
    if domain.startswith("["):
        return mailbox
    full = domain.removesuffix(".")
    if "." not in full:
        if not rules.parent:
            return None
        full = f"{full}.{rules.parent}"
    return mailbox if full == domain else Mailbox(mailbox.local, full)


def own_mailbox(uid: int, login: str, domain: str) -> Mailbox:
    """Return who a user of this host is: somebody too where the number has no name."""
    return Mailbox(login or f"uid{uid}", domain)


def put_mask_on(mailbox: Mailbox, masquerade: Masquerade) -> Mailbox:
    """Return the address under which an originator goes out: its own, where the configuration names none."""
    if not masquerade.does_anything:
        return mailbox
    if any(pattern.matches(mailbox.domain) for pattern in masquerade.hidden):
        mailbox = Mailbox(mailbox.local, masquerade.name)
    if masquerade.users and domain_key(mailbox.domain) == masquerade.name:
        return masquerade.users.get(fold_local(mailbox.local), mailbox)
    return mailbox
