"""What became of one delivery attempt for one recipient: delivered or deferred.

Made by whoever attempted, committed by the maildrop. Each carries the reply that caused it: the peer's
own, or one of ours in the same form, so that it can be shown and reported later. A recipient cannot fail
for good before there are bounces: until then whatever goes wrong is deferred, and nothing is lost.
"""

from dataclasses import dataclass

from paperpath.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Delivered:
    """The copy for this recipient is safe with the next holder."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now; it is due again at `due_us`, microseconds since 1970.

    `uncertain`: the copy may be there all the same, so the next attempt looks for it first.
    """

    reply: Reply
    due_us: int
    uncertain: bool = False


Outcome = Delivered | Deferred
