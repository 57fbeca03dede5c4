"""The addresses of the envelope completed: all domains are full ones before the maildrop (B-9, RFC 6409 §4.2).

Called at MAIL and RCPT, and by whoever makes an envelope otherwise.
"""

from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.submission.canonical.values import CanonicalRules


def complete_sender(mailbox: Mailbox, rules: CanonicalRules) -> Mailbox | Reply:
    """Complete and masquerade the return path, or say why that cannot be; its domain may be empty or end in a dot."""
    return mailbox


def complete_recipient(mailbox: Mailbox, rules: CanonicalRules) -> Mailbox | Reply:
    """Complete a recipient, or say why that cannot be; the bare postmaster stays that (RFC 5321 §4.1.1.3)."""
    return mailbox
