"""What a strict peer would complain of, written down for one connection.

Used by the dialogue, which goes on all the same. Whether octets came too early (RFC 2920 §3.1) is seen from
what had come when a command was read; what is on its way in the network by then is not seen.
"""

from paperpath.mail.reply import Reply
from paperpath.testing.sink_books import Books
from paperpath.testing.sink_options import SinkOptions

CONTENT = b"content"
_MOST_SHOWN_OCTETS = 100
# RFC 2920 §3.1: nothing may stand behind these in one group; AUTH: RFC 4954 §4; STARTTLS: RFC 3207 §4.
_LAST_OF_GROUP = frozenset(
    {
        b"EHLO",
        b"HELO",
        b"LHLO",
        b"DATA",
        b"VRFY",
        b"EXPN",
        b"TURN",
        b"QUIT",
        b"NOOP",
        b"HELP",
        b"STARTTLS",
        b"AUTH",
    }
)


class ComplaintError(Exception):
    """What is wrong, and the reply that refuses it; `excused`: it may not be the client's fault."""

    def __init__(self, what: str, reply: Reply, *, excused: bool = False) -> None:
        """Keep all three."""
        super().__init__(what)
        self.what = what
        self.reply = reply
        self.excused = excused


class StrictPeer:
    """Watches one connection. `verb` is what is being answered; empty: that the client is there."""

    def __init__(self, options: SinkOptions, books: Books, number: int) -> None:
        """Begin before the greeting."""
        self._options = options
        self._books = books
        self._number = number
        self._is_ahead_noted = False
        self.verb = b""
        self.extended = False  # since an EHLO, or LHLO

    @property
    def may_pipeline(self) -> bool:
        """Whether commands may come in groups."""
        return self._options.pipelining and self.extended

    def begin(self, verb: bytes, behind: bytes) -> None:
        """See what is answered from now on, and what came behind it already."""
        self.verb, self._is_ahead_noted = verb, False
        if behind and verb != b"BDAT":
            self.see_ahead(behind)

    def see_ahead(self, octets: bytes) -> None:
        """See octets that came before the reply to what stands before them."""
        if self._is_ahead_noted or self.verb == CONTENT:
            return
        self._is_ahead_noted = True
        if not self.verb:
            self.note("spoke before the greeting", octets)
        elif not self.may_pipeline:
            self.note("pipelining was not offered", self.verb)
        elif self.verb in _LAST_OF_GROUP:
            self.note("octets behind what ends a group", self.verb)

    def complain_of_order(self, reply: Reply, *, excused: bool = False) -> ComplaintError:
        """Make the complaint about a command that may not come now.

        `excused`: it may have been on its way when that before it was refused (RFC 2920 §3.1).
        """
        return ComplaintError("out of order", reply, excused=excused and self.may_pipeline)

    def hear(self, complaint: ComplaintError) -> None:
        """Write a complaint down, unless it is excused."""
        if not complaint.excused:
            self.note(complaint.what, self.verb)

    def note(self, what: str, detail: bytes) -> None:
        """Write down what is wrong, and what came."""
        shown = detail[:_MOST_SHOWN_OCTETS].decode("utf-8", "backslashreplace")
        self._books.note_violation(self._number, what, shown)
