"""The addresses of the envelope completed: the maildrop gets full domains only (B-9, RFC 6409 §4.2).

Called at MAIL and RCPT, and by whoever makes an envelope otherwise. Domains may be empty, of one label, or
end in a dot. One of several labels is taken for complete: nothing is looked up, and nothing is guessed.
"""

from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply, make_reply
from paperpath.submission.canonical.mailboxes import ONE_LABEL, complete_domain, put_mask_on
from paperpath.submission.canonical.values import CanonicalRules


def complete_sender(mailbox: Mailbox, rules: CanonicalRules) -> Mailbox | Reply:
    """Return the return path completed and masqueraded, or the reply that refuses it."""
    completed = complete_domain(mailbox, rules)
    if completed is None:
        return make_reply(554, "5.1.7", f"The sender {mailbox} {ONE_LABEL}")
    return put_mask_on(completed, rules.masquerade)


def complete_recipient(mailbox: Mailbox, rules: CanonicalRules) -> Mailbox | Reply:
    """Return a recipient completed, or the reply that refuses it.

    The bare postmaster is this host's, and stays as it is (RFC 5321 §4.1.1.3).
    """
    if not mailbox.domain and mailbox.is_postmaster:
        return mailbox
    completed = complete_domain(mailbox, rules)
    if completed is None:
        return make_reply(554, "5.1.3", f"The recipient {mailbox} {ONE_LABEL}")
    return completed
