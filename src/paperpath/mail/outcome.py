"""What became of one delivery attempt for one recipient.

Made by whoever attempted, committed by the maildrop. Each carries the reply that caused it: the peer's
own, or one of ours in the same form, so that it can be shown and reported later.
"""

from paperpath.mail.reply import Reply
from paperpath.mail.value import value


@value
class Delivered:
    """The copy for this recipient is safe with the next holder.

    `host`, here and below: the name of the host that said so, empty where nobody but us did. `takes_over`:
    it will also report success to whoever asked for that (RFC 3461 §5.2.2). `is_final`: what that host takes
    has arrived, and is not only on its way (RFC 2033 §3).
    """

    reply: Reply
    host: str = ""
    takes_over: bool = False
    is_final: bool = False


@value
class Deferred:
    """Not now; it is due again at `due_us`, microseconds since 1970.

    `uncertain`: the copy may be there all the same, so the next attempt looks for it first.
    """

    reply: Reply
    due_us: int
    uncertain: bool = False
    host: str = ""


@value
class Failed:
    """Never; whoever is entitled to a report gets one. A temporary reply: it was tried for long enough."""

    reply: Reply
    host: str = ""

    @property
    def is_given_up(self) -> bool:
        """Whether the reply is that of the last of many attempts, and not the reason by itself."""
        return self.reply.code < 500


@value
class SetAside:
    """Not before somebody has looked at it: what we hold of the message is damaged. It is held."""

    reply: Reply


@value
class Discarded:
    """It ends here, as somebody wanted it; nobody is told."""

    reply: Reply


@value
class Forwarded:
    """It goes on as a message of its own, which is accepted when this is settled, and tells whoever asked."""

    reply: Reply


Outcome = Delivered | Deferred | Failed | SetAside | Discarded | Forwarded
