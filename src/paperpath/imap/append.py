"""APPEND while it comes: a mailbox, then messages one after another (RFC 9051 §6.3.12, RFC 3502).

Kept by the core beside the assembly of the command. A message is announced as soon as its head has come,
and its octets are nobody's to hold.
"""

from paperpath.imap.commands import Append
from paperpath.imap.completion import no
from paperpath.imap.dialect import Dialect
from paperpath.imap.events import MessageAnnounced
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault, misread
from paperpath.imap.grammar.append import parse_message_end, parse_message_head
from paperpath.imap.grammar.mailboxes import parse_mailbox
from paperpath.imap.scanner import Scanner

MOST_MESSAGES = 1000  # of one command: they come together, while all others wait for the mailbox


class Appending:
    """One APPEND. `messages`: how many were announced."""

    def __init__(self, dialect: Dialect, message_octets: int) -> None:
        """Begin; no message may be larger than that."""
        self._dialect = dialect
        self._message_octets = message_octets
        self._mailbox = ""
        self._wrapped = False
        self.messages = 0

    def take_head(self, words: Scanner) -> MessageAnnounced:
        """Read to the announcement of a message. Raises: Fault; LiteralWanted, for the mailbox."""
        if self.messages:
            parse_message_end(words, wrapped=self._wrapped)
            self._dialect.require(Extension.MULTIAPPEND)
            if self.messages >= MOST_MESSAGES:
                raise Fault(no(f"One command may have at most {MOST_MESSAGES} messages", "LIMIT"))
        else:
            self._mailbox = parse_mailbox(words, self._dialect)
        head = parse_message_head(words, self._dialect)
        if head.size == 0:  # RFC 3502 §6.3.11: so a client gives up
            raise Fault(no("A message has octets"))
        if head.size > self._message_octets:
            raise Fault(no("The message is too large", "TOOBIG"))  # RFC 7889 §4
        self._wrapped = head.wrapped
        self.messages += 1
        return MessageAnnounced(
            self._mailbox, self.messages, head.size, head.flags, head.date_us, head.binary
        )

    def take_end(self, words: Scanner) -> Append:
        """Read to the end of the command. Raises: Fault."""
        if not self.messages:
            raise misread("a message, which is a literal")
        parse_message_end(words, wrapped=self._wrapped)
        words.end()
        return Append(self._mailbox)
