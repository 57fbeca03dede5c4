"""The sink's side of a dialogue, sans-IO: octets in, acts out, as addresses and options tell it.

Driven by the connection: `receive`, then `next_act` until there is none. Unlike smtp/server.py it may lie,
takes nearly everything, and writes down whatever a strict peer would complain of (RFC 5321, 2920, 3030). It
knows no socket and no clock.
"""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from paperpath.mail.address import is_address_literal, is_domain
from paperpath.mail.reply import Reply, make_reply
from paperpath.smtp import replies
from paperpath.smtp.chunks import ChunkReader
from paperpath.smtp.data import DataReader
from paperpath.smtp.grammar import parse_chunk
from paperpath.smtp.refusal import CommandError
from paperpath.testing.sink_books import Books, Taken, TakenRecipient
from paperpath.testing.sink_login import Attempt
from paperpath.testing.sink_options import SinkOptions, StartTls
from paperpath.testing.sink_script import (
    FOR_NOBODY,
    Act,
    Deed,
    Director,
    Ending,
    Kind,
    Stage,
    play,
    read_deed,
)
from paperpath.testing.sink_strictness import CONTENT, ComplaintError, StrictPeer
from paperpath.testing.sink_transaction import Copy, GivenPath, Transaction, read_path

_MOST_LINE_OCTETS = 12288  # RFC 4954 §4: the longest that any command may have
_OF_CONNECTION = frozenset({Stage.RSET, Stage.QUIT})
_INJECTED = b"250-evil.example\r\n250 AUTH PLAIN\r\n"
_AFTER_STARTTLS = {
    StartTls.HONEST: Ending.START_TLS,
    StartTls.INJECT: Ending.START_TLS,
    StartTls.THEN_PLAIN: Ending.GO_ON,
    StartTls.CUT: Ending.CLOSE,
    StartTls.STALL: Ending.STALL,
}

R421_MAILMAX = make_reply(421, "4.5.3", "Enough messages for one connection; closing")
R421_UNASKED = make_reply(421, "4.3.2", "Closing, though nothing was asked")
R500_IN_CLEAR = make_reply(500, "5.5.2", "No TLS here after all")
R503_CHUNK_FAILED = make_reply(503, "5.5.1", "A chunk was refused; say RSET")
R503_NO_SERVICE = make_reply(503, "5.5.1", "There is no service here; say QUIT")
R554_NOBODY = make_reply(554, "5.5.1", "No recipient was taken")


class Dialogue:
    """One connection's dialogue."""

    def __init__(self, options: SinkOptions, director: Director, books: Books, address: str) -> None:
        """Begin with the greeting, which `greet` returns."""
        self._options = options
        self._director = director
        self._books = books
        self._address = address
        books.connections += 1
        self.number = books.connections
        self._peer = StrictPeer(options, books, self.number)
        self._input = b""
        self._read: Callable[[Dialogue], Act | None] = Dialogue._read_command
        self._queued: list[Act] = []
        self._is_refused = False
        self._hello = ""
        self._tls = ""
        self._user = ""
        self._attempt: Attempt | None = None
        self._transaction: Transaction | None = None
        self._transactions = 0
        self._was_sender_refused = False
        self._plan: dict[Stage, Deed] = {}  # for the rest of the connection
        self._data = DataReader()
        self._chunks: ChunkReader | None = None
        self._is_last_chunk = False
        self._chunk_refusal: Reply | None = None
        self._copies: list[Copy] = []  # that the end of content is still to be answered for
        self.has_quit = False

    @property
    def pending_octets(self) -> int:
        """How much has come and was not read yet."""
        return len(self._input)

    def greet(self) -> Act:
        """Return what the client hears first."""
        deed = self._direct_early(self._options.greeting, Stage.GREETING)
        self._is_refused = deed is not None and not deed.lets_pass
        act = self._perform(deed, Reply(220, "", (f"{self._options.hostname} ESMTP A sink",)))
        return Act(act.octets, act.ending, act.pause_s + self._options.greeting_delay_s)

    def receive(self, octets: bytes, *, answered: bool) -> None:
        """Take octets; `answered`: the client has the reply to all that it said before."""
        self._input += octets
        if not answered and octets:
            self._peer.see_ahead(octets)

    def next_act(self) -> Act | None:
        """Return what to do next; nothing until more octets come."""
        if self._queued:
            return self._queued.pop(0)
        try:
            return self._read(self)
        except ComplaintError as complaint:
            self._peer.hear(complaint)
            return Act(complaint.reply.octets)
        except CommandError as refusal:
            return Act(refusal.reply.octets)

    def tls_started(self, version: str) -> None:
        """Begin anew inside TLS (RFC 3207 §4.2)."""
        self._tls = version
        self._hello, self._peer.extended, self._transaction = "", False, None
        self._read = Dialogue._read_command

    def lost(self, *, by_client: bool) -> None:
        """Note the end of the connection."""
        if by_client and not self.has_quit:
            self._peer.note("closed without QUIT", self._peer.verb)
        self._books.tell("closed", self.number)

    # What comes in

    def _read_line(self) -> bytes | None:
        """Return the next line without its end; nothing where it is not whole. Raises: ComplaintError."""
        end = self._input.find(b"\n") + 1
        if not end:
            if len(self._input) > _MOST_LINE_OCTETS:
                self._input = b""
                raise ComplaintError("line without end", replies.R500_LINE_TOO_LONG)
            return None
        line, self._input = self._input[:end], self._input[end:]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise ComplaintError("bare newline in a command", replies.R500_BARE_NEWLINE)
        return line[:-2]

    def _read_command(self) -> Act | None:
        line = self._read_line()
        if line is None:
            return None
        word, _, argument = line.partition(b" ")
        self._peer.begin(word.upper(), self._input)
        handler = self._HANDLERS.get(self._peer.verb)
        if handler is None:
            raise ComplaintError("unknown command", replies.R500_UNKNOWN)
        if self._is_refused and self._peer.verb != b"QUIT":
            raise ComplaintError("went on after a refused greeting", R503_NO_SERVICE)
        return handler(self, argument)

    def _read_content(self) -> Act | None:
        if self._input and not self._data.ended:
            self._peer.verb = CONTENT
            content, self._input = self._data.feed(self._input)
            if act := self._take_content(content):
                return act
        if not self._data.ended:
            return None
        self._read = Dialogue._read_command
        self._peer.begin(b".", self._input)
        return self._end_content(has_bare_newline=self._data.has_bare_newline)

    def _read_chunk(self) -> Act | None:
        chunks = self._chunks
        assert chunks is not None
        content, self._input = chunks.feed(self._input)
        if self._chunk_refusal is None and (act := self._take_content(content)):
            return act
        if chunks.left:
            return None
        self._read = Dialogue._read_command
        self._peer.begin(b"a chunk", self._input)
        return self._end_chunk(chunks)

    def _read_answer(self) -> Act | None:
        """Read an answer to a challenge of AUTH."""
        assert self._attempt is not None
        line = self._read_line()
        return None if line is None else self._go_on_logging_in(self._attempt.answer(line))

    def _read_in_clear(self) -> Act | None:
        """Take what should have been TLS."""
        if not self._input:
            return None
        self._input = b""
        return Act(R500_IN_CLEAR.octets)

    def _read_nothing(self) -> Act | None:
        self._input = b""
        return None

    # Commands

    def _say_hello(self, argument: bytes) -> Act:
        name, is_extended = argument.decode("ascii", "replace"), self._peer.verb == self._options.hello
        if not is_extended and (self._options.lmtp or self._peer.verb == b"LHLO"):  # RFC 2033 §4.1
            raise ComplaintError("greeting of another protocol", replies.R500_UNKNOWN)
        if not (is_domain(name) or is_address_literal(name)):
            self._peer.note("malformed name in EHLO", argument)
        if is_extended and self._options.helo_only:
            return Act(replies.R502_NOT_IMPLEMENTED.octets)
        deed = self._direct_early(self._options.ehlo, Stage.EHLO)
        if deed is None or deed.lets_pass:
            self._hello, self._peer.extended, self._transaction = name, is_extended, None
            self._books.tell("hello", self.number, name=name, extended=is_extended, tls=self._tls)
        keywords = self._list_keywords() if is_extended else ()
        return self._perform(deed, replies.hello_reply(self._options.hostname, name, keywords))

    def _list_keywords(self) -> tuple[str, ...]:
        offers_tls = self._options.tls and not self._tls
        return (*self._options.keywords, "STARTTLS") if offers_tls else self._options.keywords

    def _mail(self, argument: bytes) -> Act:
        self._was_sender_refused = True
        if not self._hello:
            raise self._peer.complain_of_order(replies.R503_HELLO_FIRST)
        if self._transaction is not None:
            raise self._peer.complain_of_order(replies.R503_ONE_MAIL)
        if self._options.user and not self._user:
            raise CommandError(replies.R530_LOGIN_FIRST)
        if self._transactions == self._options.limit("MAILMAX"):
            self._peer.note("more than MAILMAX", b"")
            return Act(R421_MAILMAX.octets, Ending.CLOSE)
        given = self._read_path(argument, b"FROM:", self._options.sender_parameters)
        transaction = Transaction(self._options, given)
        transaction.check_sender()
        if transaction.declares_too_much:
            raise CommandError(replies.R552_TOO_BIG)
        deed = self._plan_for(self._director.direct(given.local, Stage.MAIL), transaction, Stage.MAIL)
        if deed is None or deed.lets_pass:
            self._was_sender_refused = False
            self._transaction, self._chunks = transaction, None
            self._transactions += 1
            self._books.transactions += 1
        return self._perform(deed, replies.R250_SENDER)

    def _rcpt(self, argument: bytes) -> Act:
        transaction = self._transaction
        if transaction is None:
            raise self._peer.complain_of_order(replies.R503_MAIL_FIRST, excused=self._was_sender_refused)
        transaction.asked += 1
        given = self._read_path(argument, b"TO:", self._options.recipient_parameters)
        transaction.check_recipient(given.address)
        if len(transaction.recipients) >= self._options.recipients:
            raise CommandError(make_reply(self._options.recipients_code, "", "Too many recipients"))
        wanted = self._director.direct(given.local, Stage.RCPT)
        own = wanted if wanted is not None and transaction.is_own(wanted) else None
        shared = wanted if own is None else None
        deed = self._plan_for(shared, transaction, Stage.RCPT) or transaction.plan.get(Stage.RCPT)
        if deed is not None and deed.kind in FOR_NOBODY:
            transaction.for_nobody = deed.kind
        if deed is None or deed.lets_pass:
            transaction.accept(TakenRecipient(given.address, given.parameters), own)
        return self._perform(deed, replies.R250_RECIPIENT)

    def _begin_content(self, argument: bytes) -> Act:
        transaction = self._require_recipients()
        if argument:
            raise ComplaintError("argument behind DATA", replies.R501_NO_ARGUMENT)
        if transaction.is_binary:
            raise self._peer.complain_of_order(replies.R503_BINARY_NEEDS_CHUNKS)
        deed = transaction.plan.get(Stage.DATA)
        if deed is None or deed.lets_pass:
            self._data = DataReader()
            self._read = Dialogue._read_content
        return self._perform(deed, replies.R354_GO_AHEAD)

    def _bdat(self, argument: bytes) -> Act | None:
        try:
            size, self._is_last_chunk = parse_chunk(argument)
        except CommandError as error:
            self._peer.note("malformed BDAT", argument)
            return Act(error.reply.octets, Ending.CLOSE)
        self._chunk_refusal = None
        try:
            self._require_chunks()
        except ComplaintError as complaint:
            self._chunk_refusal = complaint.reply
            self._peer.hear(complaint)
        self._chunks = self._chunks or ChunkReader()
        self._chunks.begin(size)
        self._read = Dialogue._read_chunk
        return self._read_chunk()

    def _require_chunks(self) -> None:
        """Raises: ComplaintError, where no chunk may come now."""
        if not (self._options.chunking and self._peer.extended):
            raise ComplaintError("CHUNKING was not offered", replies.R502_NOT_IMPLEMENTED)
        if self._require_recipients().is_broken:
            raise self._peer.complain_of_order(R503_CHUNK_FAILED, excused=True)

    def _end_chunk(self, chunks: ChunkReader) -> Act:
        transaction, refusal = self._transaction, self._chunk_refusal
        if refusal is not None or transaction is None:
            return Act((refusal or replies.R503_MAIL_FIRST).octets)
        deed = transaction.plan.pop(Stage.DATA, None)
        if deed is not None and deed.code // 100 != 2 and not deed.lets_pass:
            transaction.is_broken = True
            return self._perform(deed, replies.R250_DONE)
        if not self._is_last_chunk:
            return self._perform(deed, replies.chunk_taken(chunks.octets))
        if deed is not None:
            transaction.plan.setdefault(Stage.DOT, deed)
        return self._end_content(has_bare_newline=chunks.has_bare_newline and not transaction.is_binary)

    def _require_recipients(self) -> Transaction:
        """Return the transaction if it may get content. Raises: ComplaintError."""
        transaction = self._transaction
        if transaction is None:
            raise self._peer.complain_of_order(replies.R503_MAIL_FIRST, excused=self._was_sender_refused)
        if not transaction.recipients and transaction.for_nobody is None:
            raise self._peer.complain_of_order(replies.R503_RECIPIENT_FIRST, excused=transaction.asked > 0)
        return transaction

    def _take_content(self, content: bytes) -> Act | None:
        """Add to the content; return what is to be done in the middle of it, if anything."""
        transaction = self._transaction
        assert transaction is not None
        if not content:
            return None
        transaction.add(content, keeps=self._books.wants_content)
        deed = transaction.plan.pop(Stage.CONTENT, None)
        return None if deed is None else self._perform(deed, R421_UNASKED)

    def _end_content(self, *, has_bare_newline: bool) -> Act:
        transaction = self._transaction
        assert transaction is not None
        self._transaction, self._chunks = None, None
        if has_bare_newline:
            self._peer.note("bare newline in content", b"")
        if undeclared := transaction.find_undeclared(extended=self._peer.extended):
            self._peer.note(undeclared, b"")
        if not transaction.recipients:
            is_lie = transaction.for_nobody is Kind.TAKEN_FOR_NOBODY
            return Act((replies.queued("nothing") if is_lie else R554_NOBODY).octets)
        self._copies = transaction.list_copies()
        self._read = partial(Dialogue._answer_copy, transaction=transaction)
        return self._answer_copy(transaction)

    def _answer_copy(self, transaction: Transaction) -> Act:
        """Answer the end of content for the next copy."""
        copy = self._copies.pop(0)
        if not self._copies:
            self._read = Dialogue._read_command
        if transaction.is_too_big:
            return Act(replies.R552_TOO_BIG.octets)
        deed = copy.at_dot
        if deed is not None and not deed.lets_pass:
            return self._perform(deed, replies.R250_DONE)
        deed = copy.after_dot or deed
        taken = self._take(transaction, copy, answered=deed is None or deed.lets_pass)
        idle = transaction.plan.get(Stage.IDLE)
        if idle is not None and not self._copies:
            self._queued.append(self._perform(idle, R421_UNASKED))
        return self._perform(deed, replies.queued(str(taken.number)))

    def _take(self, transaction: Transaction, copy: Copy, *, answered: bool) -> Taken:
        number, file = self._books.name_next()
        taken = Taken(
            number,
            self.number,
            self._address,
            self._hello,
            self._tls,
            self._user,
            transaction.sender.address,
            transaction.sender.parameters,
            copy.recipients,
            transaction.digest.hexdigest(),
            transaction.octets,
            answered,
            file,
            b"".join(transaction.content),
        )
        self._books.take(taken)
        return taken

    def _reset(self, argument: bytes) -> Act:
        self._transaction, self._chunks = None, None
        self._was_sender_refused = False
        return self._perform(self._plan.get(Stage.RSET), replies.R250_DONE)

    def _quit(self, argument: bytes) -> Act:
        self.has_quit = True
        act = self._perform(self._plan.get(Stage.QUIT), replies.R221_BYE)
        return Act(act.octets, Ending.CLOSE, act.pause_s) if act.ending is Ending.GO_ON else act

    def _starttls(self, argument: bytes) -> Act:
        if not self._options.tls or self._tls:
            raise self._peer.complain_of_order(replies.R502_NOT_IMPLEMENTED)
        how = self._options.starttls
        if how is StartTls.REFUSE:
            return Act(replies.R454_NO_TLS.octets)
        self._input = b""
        self._read = Dialogue._read_in_clear if how is StartTls.THEN_PLAIN else Dialogue._read_nothing
        go = replies.R220_START_TLS.octets
        return Act(go + _INJECTED if how is StartTls.INJECT else go, _AFTER_STARTTLS[how])

    def _auth(self, argument: bytes) -> Act:
        options = self._options
        if not (options.user and self._peer.extended):
            raise self._peer.complain_of_order(replies.R502_NOT_IMPLEMENTED)
        if self._user or self._transaction is not None:
            raise self._peer.complain_of_order(replies.R503_NO_LOGIN_NOW)
        if not self._tls:
            self._peer.note("AUTH in the clear", b"")
        self._attempt = Attempt(options)
        return self._go_on_logging_in(self._attempt.begin(argument))

    def _go_on_logging_in(self, octets: bytes) -> Act:
        assert self._attempt is not None
        self._read = Dialogue._read_command if self._attempt.is_over else Dialogue._read_answer
        if self._attempt.has_succeeded:
            self._user = self._options.user
        return Act(octets)

    def _done(self, argument: bytes) -> Act:
        return Act(replies.R250_DONE.octets)

    def _help(self, argument: bytes) -> Act:
        return Act(replies.R214_HELP.octets)

    def _verify(self, argument: bytes) -> Act:
        return Act(replies.R252_TRY.octets)

    # What they have in common

    def _read_path(self, argument: bytes, keyword: bytes, offered: frozenset[str]) -> GivenPath:
        """Read what stands behind MAIL or RCPT. Raises: ComplaintError."""
        given = read_path(argument, keyword, offered if self._peer.extended else frozenset())
        if given.spaced:
            self._peer.note("white space before a path", argument)
        if self._books.tells:
            event = self._peer.verb.decode().lower()
            self._books.tell(event, self.number, address=given.address, parameters=given.parameters)
        return given

    def _plan_for(self, deed: Deed | None, transaction: Transaction, now: Stage) -> Deed | None:
        """Return a deed if its time has come, else lay it up for its stage."""
        if deed is None or deed.stage is now:
            return deed
        plan = self._plan if deed.stage in _OF_CONNECTION else transaction.plan
        plan.setdefault(deed.stage, deed)
        return None

    def _direct_early(self, word: str, stage: Stage) -> Deed | None:
        return read_deed(word, stage) if word else self._director.direct_early(stage)

    def _perform(self, deed: Deed | None, usual: Reply) -> Act:
        if deed is None:
            return Act(usual.octets)
        self._books.note_deed(self.number, deed.word, deed.stage.value)
        return play(deed, usual)

    _HANDLERS: ClassVar[dict[bytes, Callable[["Dialogue", bytes], Act | None]]] = {
        b"HELO": _say_hello,
        b"EHLO": _say_hello,
        b"LHLO": _say_hello,
        b"MAIL": _mail,
        b"RCPT": _rcpt,
        b"DATA": _begin_content,
        b"BDAT": _bdat,
        b"RSET": _reset,
        b"NOOP": _done,
        b"VRFY": _verify,
        b"HELP": _help,
        b"STARTTLS": _starttls,
        b"AUTH": _auth,
        b"QUIT": _quit,
    }
