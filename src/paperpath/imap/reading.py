"""Reads commands off the octets: lines, literals, and the messages of APPEND (RFC 9051 §2.2.1, RFC 7888).

Kept by the core. A command is given when it is whole; one that is refused is read to its end all the same,
unless it ends in a literal that waits to be asked for: it will not be, and the command is over.
"""

from collections.abc import Callable

from paperpath.imap.append import Appending
from paperpath.imap.assembly import HEAD_OCTETS, LINE_END_OCTETS, Announced, Assembly, read_announcement
from paperpath.imap.completion import Completion, bad
from paperpath.imap.dialect import Dialect
from paperpath.imap.events import MessageAnnounced, MessageEnded, MessageReceived
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault
from paperpath.imap.octets import Input
from paperpath.imap.scanner import LiteralWanted
from paperpath.imap.settings import Settings
from paperpath.imap.verbs import Verb

_MOST_UNASKED_OCTETS = 4096  # RFC 7888 §5: with LITERAL-

TOO_BIG = bad("The command is too long", "TOOBIG")
_TOO_BIG_UNASKED = bad("A literal of that size is to be asked for", "TOOBIG")
_ABSURD = bad("No literal has so many octets", "TOOBIG")

Item = Assembly | MessageAnnounced | MessageReceived | MessageEnded


class CommandReader:
    """Reads one command after another.

    `judge` is called with each as soon as it has begun, and may refuse it; `ask` is called where the client
    waits to be asked for a literal. `command_octets`: of a command. `assembly`: the one that comes.
    `is_lost`: nobody knows where the next command begins.
    """

    def __init__(
        self,
        octets: Input,
        settings: Settings,
        dialect: Dialect,
        judge: Callable[[Assembly], None],
        ask: Callable[[], None],
    ) -> None:
        """Begin with no command."""
        self._octets = octets
        self._settings = settings
        self._dialect = dialect
        self._judge = judge
        self._ask = ask
        self.command_octets = settings.stranger_octets
        self.is_lost = False
        self._read: _Reading = CommandReader._read_line
        self.assembly: Assembly | None = None
        self._message: Announced | None = None
        self._left = 0  # octets of a literal that have not come

    @property
    def awaits_message(self) -> bool:
        """Whether a message was announced, and it is not said yet whether it may come."""
        return self._message is not None

    def next_item(self) -> Item | None:
        """Return a command, or something of a message; `None` where more has to come first."""
        while not self.is_lost and self._message is None:
            read = self._read
            item = read(self)
            if item is not None or self._read is read:
                return item
        return None

    def take_message(self) -> None:
        """Let the message come that was announced."""
        message, self._message = self._message, None
        assert message is not None
        self._await(message, CommandReader._read_message)

    def refuse_message(self, completion: Completion) -> Assembly | None:
        """Refuse the message that was announced, and the command; return it if it is over with that."""
        message, self._message = self._message, None
        assert message is not None
        assert self.assembly is not None
        self.assembly.refuse(completion)
        if message.waits:
            return self._end()
        self._left, self._read = message.octets, CommandReader._discard_literal
        return None

    # Reading: each reads until there is an item, or until it needs more, or until another takes over

    def _read_line(self) -> Item | None:
        line = self._octets.next_line()
        if line is None:
            self._limit_line()
            return None
        assembly = self.assembly or self._begin(line)
        self._check_room(assembly, len(line))
        announced = read_announcement(line)
        assembly.add_line(line, ends=announced is None)
        if announced is not None:
            return self._take_announcement(assembly, announced)
        return self._end()

    def _read_literal(self) -> Item | None:
        if len(self._octets) >= self._left:
            assert self.assembly is not None
            self.assembly.add_literal(self._octets.take(self._left))
            self._read = CommandReader._read_line
        return None

    def _discard_literal(self) -> Item | None:
        self._left -= len(self._octets.take(self._left))
        if not self._left:
            self._read = CommandReader._read_line
        return None

    def _read_message(self) -> Item | None:
        if not self._left:
            self._read = CommandReader._read_line
            return MessageEnded()
        octets = self._octets.take(self._left)
        self._left -= len(octets)
        return MessageReceived(octets) if octets else None

    # Lines

    def _begin(self, line: bytes) -> Assembly:
        assembly = self.assembly = Assembly(line[:HEAD_OCTETS])
        self._judge(assembly)
        if assembly.verb is Verb.APPEND:
            assembly.appending = Appending(self._dialect, self._settings.message_octets)
        return assembly

    def _check_room(self, assembly: Assembly, line_octets: int) -> None:
        if assembly.octets + line_octets > self.command_octets:
            assembly.refuse(TOO_BIG)

    def _limit_line(self) -> None:
        """Hold no more than there is room for of a line whose end has not come; its CR may be there."""
        assembly = self.assembly
        held = len(self._octets) - 1
        if (assembly.octets if assembly else 0) + held > self.command_octets:
            assembly = assembly or self._begin(self._octets.begin_of_line(HEAD_OCTETS))
            self._check_room(assembly, held)
        if assembly is not None and assembly.refusal is not None:
            self._octets.shorten_line(LINE_END_OCTETS)

    def _end(self) -> Assembly:
        assembly, self.assembly = self.assembly, None
        assert assembly is not None
        self._read = CommandReader._read_line
        return assembly

    # Literals

    def _take_announcement(self, assembly: Assembly, announced: Announced) -> Item | None:
        if announced.is_absurd:
            assembly.refuse(_ABSURD)
            self.is_lost = not announced.waits
        elif announced.octets > _MOST_UNASKED_OCTETS and not (
            announced.waits or self._dialect.knows(Extension.LITERAL_PLUS)
        ):
            assembly.refuse(_TOO_BIG_UNASKED)
        if assembly.refusal is None and assembly.appending is not None:
            message = self._take_head(assembly, assembly.appending)
            if message is not None:
                self._message = announced
                return message
        if assembly.refusal is None and assembly.octets + announced.octets > self.command_octets:
            assembly.refuse(TOO_BIG)
        if assembly.refusal is None:
            self._await(announced, CommandReader._read_literal)
        elif announced.waits or self.is_lost:
            return self._end()
        else:
            self._left, self._read = announced.octets, CommandReader._discard_literal
        return None

    def _take_head(self, assembly: Assembly, appending: Appending) -> MessageAnnounced | None:
        """Read what stands before a message; `None` where the literal is none, or something is wrong."""
        try:
            message = appending.take_head(assembly.words)
        except LiteralWanted:
            return None
        except Fault as fault:
            assembly.refuse(fault.completion)
            return None
        assembly.forget()
        return message

    def _await(self, announced: Announced, reading: "_Reading") -> None:
        if announced.waits:
            self._ask()
        self._left, self._read = announced.octets, reading


_Reading = Callable[[CommandReader], Item | None]
