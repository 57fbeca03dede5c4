"""The sink's side of a dialogue, sans-IO: octets in, acts out, as addresses and options tell it.

Driven by the connection: `receive`, then `next_act` until there is none. Unlike smtp/server.py it may lie,
takes nearly everything, and writes down whatever a strict peer would complain of (RFC 5321, 2920, 3030, 6152).
It knows no socket and no clock.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from paperpath.mail.address import AddressError, format_mailbox, is_address_literal, is_domain, parse_path
from paperpath.mail.reply import Reply, make_reply
from paperpath.smtp import replies
from paperpath.smtp.chunks import ChunkReader
from paperpath.smtp.data import DataReader
from paperpath.smtp.grammar import parse_chunk
from paperpath.smtp.refusal import CommandError
from paperpath.testing.sink_books import Books, Taken, TakenRecipient
from paperpath.testing.sink_login import Credentials, Login, LoginError
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

_MOST_LINE_OCTETS = 12288  # RFC 4954 §4: the longest that any command may have
_MOST_SHOWN_OCTETS = 100
# RFC 2920 §3.1: nothing may stand behind these in one group; AUTH: RFC 4954 §4; STARTTLS: RFC 3207 §4.
_LAST_OF_GROUP = frozenset(
    {b"EHLO", b"HELO", b"DATA", b"VRFY", b"EXPN", b"TURN", b"QUIT", b"NOOP", b"HELP", b"STARTTLS", b"AUTH"}
)
_CONTENT = b"content"
_OF_CONNECTION = frozenset({Stage.RSET, Stage.QUIT})
_INJECTED = b"250-evil.example\r\n250 AUTH PLAIN\r\n"
_AFTER_STARTTLS = {
    StartTls.HONEST: Ending.START_TLS,
    StartTls.INJECT: Ending.START_TLS,
    StartTls.THEN_PLAIN: Ending.GO_ON,
    StartTls.CUT: Ending.CLOSE,
    StartTls.STALL: Ending.STALL,
}

R235_LOGGED_IN = make_reply(235, "2.7.0", "Logged in")
R421_MAILMAX = make_reply(421, "4.5.3", "Enough messages for one connection; closing")
R421_UNASKED = make_reply(421, "4.3.2", "Closing, though nothing was asked")
R500_IN_CLEAR = make_reply(500, "5.5.2", "No TLS here after all")
R501_LOGIN = make_reply(501, "5.5.2", "That is no answer to the challenge")
R503_CHUNK_FAILED = make_reply(503, "5.5.1", "A chunk was refused; say RSET")
R503_NO_LOGIN_NOW = make_reply(503, "5.5.1", "Not now")
R504_MECHANISM = make_reply(504, "5.5.4", "No such mechanism")
R530_LOGIN_FIRST = make_reply(530, "5.7.0", "Log in first")
R535_WRONG = make_reply(535, "5.7.8", "Wrong user or password")
R503_NO_SERVICE = make_reply(503, "5.5.1", "There is no service here; say QUIT")
R554_NOBODY = make_reply(554, "5.5.1", "No recipient was taken")


@dataclass(slots=True)
class _Transaction:
    """What is known of a message on its way in; `plan`: what its addresses want done at later stages."""

    sender: str
    parameters: tuple[str, ...]
    plan: dict[Stage, Deed]
    recipients: list[TakenRecipient] = field(default_factory=list)
    asked: int = 0  # RCPT commands
    octets: int = 0
    content: list[bytes] = field(default_factory=list)
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    is_ascii: bool = True
    for_nobody: Kind | None = None
    has_failed: bool = False  # a chunk was refused

    def has(self, parameter: str) -> bool:
        """Tell whether MAIL had a parameter, with any value or this one."""
        return any(parameter in (entry.upper(), entry.upper().partition("=")[0]) for entry in self.parameters)


class Dialogue:
    """One connection's dialogue."""

    def __init__(self, options: SinkOptions, director: Director, books: Books, peer: str) -> None:
        """Begin with the greeting, which `greet` returns."""
        self._options = options
        self._director = director
        self._books = books
        self._peer = peer
        books.connections += 1
        self.number = books.connections
        self._input = b""
        self._read: Callable[[Dialogue], Act | None] = Dialogue._read_command
        self._queued: list[Act] = []
        self._verb = b""  # what is being answered; empty: that the client is there
        self._is_ahead_noted = False
        self._is_refused = False
        self._hello = ""
        self._extended = False
        self._tls = ""
        self._user = ""
        self._login: Login | None = None
        self._transaction: _Transaction | None = None
        self._transactions = 0
        self._was_sender_refused = False
        self._plan: dict[Stage, Deed] = {}  # for the rest of the connection
        self._data = DataReader()
        self._chunks: ChunkReader | None = None
        self._is_last_chunk = False
        self._chunk_refusal: Reply | None = None
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
            self._check_ahead()

    def next_act(self) -> Act | None:
        """Return what to do next; nothing until more octets come."""
        return self._queued.pop(0) if self._queued else self._read(self)

    def tls_started(self, version: str) -> None:
        """Begin anew inside TLS (RFC 3207 §4.2)."""
        self._tls = version
        self._hello, self._extended, self._transaction = "", False, None
        self._read = Dialogue._read_command

    def lost(self, *, by_client: bool) -> None:
        """Note the end of the connection."""
        if by_client and not self.has_quit:
            self._violate("closed without QUIT", self._verb)
        self._books.tell("closed", self.number)

    # What comes in

    def _read_line(self) -> bytes | None:
        """Return the next line without its end; nothing where it is not whole. Raises: CommandError."""
        end = self._input.find(b"\n") + 1
        if not end:
            if len(self._input) > _MOST_LINE_OCTETS:
                self._violate("line without end", self._input)
                self._input = b""
                raise CommandError(replies.R500_LINE_TOO_LONG)
            return None
        line, self._input = self._input[:end], self._input[end:]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            self._violate("bare newline in a command", line)
            raise CommandError(replies.R500_BARE_NEWLINE)
        return line[:-2]

    def _read_command(self) -> Act | None:
        try:
            line = self._read_line()
            if line is None:
                return None
            word, _, argument = line.partition(b" ")
            self._verb = word.upper()
            self._is_ahead_noted = False
            if self._input and self._verb != b"BDAT":
                self._check_ahead()
            return self._carry_out(line, argument)
        except CommandError as error:
            return Act(error.reply.octets)

    def _carry_out(self, line: bytes, argument: bytes) -> Act | None:
        handler = self._HANDLERS.get(self._verb)
        if handler is None:
            self._violate("unknown command", line)
            return Act(replies.R500_UNKNOWN.octets)
        if self._is_refused and self._verb != b"QUIT":
            self._violate("went on after a refused greeting", self._verb)
            return Act(R503_NO_SERVICE.octets)
        return handler(self, argument)

    def _read_content(self) -> Act | None:
        if not self._input:
            return None
        content, self._input = self._data.feed(self._input)
        self._verb = _CONTENT
        if act := self._take_content(content):
            self._input = b"" if act.ending is not Ending.GO_ON else self._input
            return act
        if not self._data.ended:
            return None
        self._verb, self._is_ahead_noted = b".", False
        self._read = Dialogue._read_command
        if self._input:
            self._check_ahead()
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
        if self._input:
            self._check_ahead()
        return self._end_chunk(chunks)

    def _read_answer(self) -> Act | None:
        """Read an answer to a challenge of AUTH."""
        try:
            line = self._read_line()
        except CommandError as error:
            self._read = Dialogue._read_command
            return Act(error.reply.octets)
        return None if line is None else self._answer_challenge(line)

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
        name, is_extended = argument.decode("ascii", "replace"), self._verb == b"EHLO"
        if not (is_domain(name) or is_address_literal(name)):
            self._violate("malformed name in EHLO", argument)
        if is_extended and self._options.helo_only:
            return Act(replies.R502_NOT_IMPLEMENTED.octets)
        deed = self._direct_early(self._options.ehlo, Stage.EHLO)
        if deed is None or deed.lets_pass:
            self._hello, self._extended, self._transaction = name, is_extended, None
            self._books.tell("hello", self.number, name=name, extended=is_extended, tls=self._tls)
        keywords = self._list_keywords() if is_extended else ()
        return self._perform(deed, replies.hello_reply(self._options.hostname, name, keywords))

    def _list_keywords(self) -> tuple[str, ...]:
        offers_tls = self._options.tls and not self._tls
        return (*self._options.keywords, "STARTTLS") if offers_tls else self._options.keywords

    def _mail(self, argument: bytes) -> Act:
        self._was_sender_refused = True
        if not self._hello:
            raise self._out_of_order(replies.R503_HELLO_FIRST)
        if self._transaction is not None:
            raise self._out_of_order(replies.R503_ONE_MAIL)
        if self._options.user and not self._user:
            raise CommandError(R530_LOGIN_FIRST)
        if self._transactions == self._options.limit("MAILMAX"):
            self._violate("more than MAILMAX", argument)
            return Act(R421_MAILMAX.octets, Ending.CLOSE)
        local, sender, parameters = self._read_path(argument, b"FROM:", self._options.sender_parameters)
        transaction = _Transaction(sender, parameters, {})
        self._check_sender(transaction)
        deed = self._plan_for(self._director.direct(local, Stage.MAIL), transaction, Stage.MAIL)
        if deed is None or deed.lets_pass:
            self._was_sender_refused = False
            self._transaction = transaction
            self._transactions += 1
            self._books.transactions += 1
        self._tell_path("mail", sender, parameters)
        return self._perform(deed, replies.R250_SENDER)

    def _check_sender(self, transaction: _Transaction) -> None:
        if not (transaction.sender.isascii() or transaction.has("SMTPUTF8")):
            self._violate("address outside ASCII without SMTPUTF8", transaction.sender.encode())
        if transaction.has("BODY=BINARYMIME") and not self._options.binary:
            self._violate("BINARYMIME was not offered", b"")
            raise CommandError(replies.R555_UNKNOWN_PARAMETER)
        sizes = [entry[5:] for entry in transaction.parameters if entry.upper().startswith("SIZE=")]
        if any(size.isascii() and size.isdigit() and int(size) > self._options.size for size in sizes):
            raise CommandError(replies.R552_TOO_BIG)

    def _rcpt(self, argument: bytes) -> Act:
        transaction = self._transaction
        if transaction is None:
            raise self._out_of_order(replies.R503_MAIL_FIRST, excused=self._was_sender_refused)
        transaction.asked += 1
        local, address, parameters = self._read_path(argument, b"TO:", self._options.recipient_parameters)
        self._check_recipient(transaction, address)
        wanted = self._director.direct(local, Stage.RCPT)
        deed = self._plan_for(wanted, transaction, Stage.RCPT) or transaction.plan.get(Stage.RCPT)
        if deed is not None and deed.kind in FOR_NOBODY:
            transaction.for_nobody = deed.kind
        if deed is None or deed.lets_pass:
            transaction.recipients.append(TakenRecipient(address, parameters))
        self._tell_path("rcpt", address, parameters)
        return self._perform(deed, replies.R250_RECIPIENT)

    def _check_recipient(self, transaction: _Transaction, address: str) -> None:
        if not address:
            self._violate("empty recipient", b"")
            raise CommandError(replies.bad_recipient_syntax("a recipient cannot be empty"))
        if not (address.isascii() or transaction.has("SMTPUTF8")):
            self._violate("address outside ASCII without SMTPUTF8", address.encode())
        taken = len(transaction.recipients)
        if taken == self._options.limit("RCPTMAX"):
            self._violate("more than RCPTMAX", address.encode())
            raise CommandError(replies.R452_TOO_MANY_RECIPIENTS)
        if taken >= self._options.recipients:
            raise CommandError(make_reply(self._options.recipients_code, "", "Too many recipients"))

    def _begin_content(self, argument: bytes) -> Act:
        transaction = self._require_recipients()
        if argument:
            self._violate("argument behind DATA", argument)
            raise CommandError(replies.R501_NO_ARGUMENT)
        if transaction.has("BODY=BINARYMIME"):
            raise self._out_of_order(replies.R503_BINARY_NEEDS_CHUNKS)
        deed = transaction.plan.get(Stage.DATA)
        if deed is None or deed.lets_pass:
            self._data = DataReader()
            self._read = Dialogue._read_content
        return self._perform(deed, replies.R354_GO_AHEAD)

    def _bdat(self, argument: bytes) -> Act | None:
        try:
            size, self._is_last_chunk = parse_chunk(argument)
        except CommandError as error:
            self._violate("malformed BDAT", argument)
            return Act(error.reply.octets, Ending.CLOSE)
        self._chunk_refusal = None
        try:
            self._require_chunks()
        except CommandError as error:
            self._chunk_refusal = error.reply
        self._chunks = self._chunks or ChunkReader()
        self._chunks.begin(size)
        self._read = Dialogue._read_chunk
        return self._read_chunk()

    def _require_chunks(self) -> None:
        """Raises: CommandError, where no chunk may come now."""
        if not (self._options.chunking and self._extended):
            self._violate("CHUNKING was not offered", b"")
            raise CommandError(replies.R502_NOT_IMPLEMENTED)
        if self._require_recipients().has_failed:
            raise self._out_of_order(R503_CHUNK_FAILED)

    def _end_chunk(self, chunks: ChunkReader) -> Act:
        transaction, refusal = self._transaction, self._chunk_refusal
        if refusal is not None or transaction is None:
            return Act((refusal or replies.R503_MAIL_FIRST).octets)
        deed = transaction.plan.pop(Stage.DATA, None)
        if deed is not None and deed.code // 100 != 2 and not deed.lets_pass:
            transaction.has_failed = True
            return self._perform(deed, replies.R250_DONE)
        if not self._is_last_chunk:
            return self._perform(deed, replies.chunk_taken(chunks.octets))
        is_binary = transaction.has("BODY=BINARYMIME")
        return self._end_content(has_bare_newline=chunks.has_bare_newline and not is_binary)

    def _require_recipients(self) -> _Transaction:
        """Return the transaction if it may get content. Raises: CommandError."""
        transaction = self._transaction
        if transaction is None:
            raise self._out_of_order(replies.R503_MAIL_FIRST, excused=self._was_sender_refused)
        if not transaction.recipients and transaction.for_nobody is None:
            raise self._out_of_order(replies.R503_RECIPIENT_FIRST, excused=transaction.asked > 0)
        return transaction

    def _take_content(self, content: bytes) -> Act | None:
        """Add to the content; return what is to be done in the middle of it, if anything."""
        transaction = self._transaction
        assert transaction is not None
        if not content:
            return None
        transaction.octets += len(content)
        transaction.digest.update(content)
        transaction.is_ascii = transaction.is_ascii and content.isascii()
        if self._books.wants_content and transaction.octets <= self._options.size:
            transaction.content.append(content)
        deed = transaction.plan.pop(Stage.CONTENT, None)
        return None if deed is None else self._perform(deed, R421_UNASKED)

    def _end_content(self, *, has_bare_newline: bool) -> Act:
        transaction = self._transaction
        assert transaction is not None
        self._transaction, self._chunks = None, None
        self._check_content(transaction, has_bare_newline=has_bare_newline)
        if not transaction.recipients:
            is_lie = transaction.for_nobody is Kind.TAKEN_FOR_NOBODY
            return Act((replies.queued("nothing") if is_lie else R554_NOBODY).octets)
        if transaction.octets > self._options.size:
            return Act(replies.R552_TOO_BIG.octets)
        plan = transaction.plan
        deed = plan.get(Stage.DOT)
        if deed is not None and not deed.lets_pass:
            return self._perform(deed, replies.R250_DONE)
        deed = plan.get(Stage.TAKEN, deed)
        taken = self._take(transaction, answered=deed is None or deed.lets_pass)
        if idle := plan.get(Stage.IDLE):
            self._queued.append(self._perform(idle, R421_UNASKED))
        return self._perform(deed, replies.queued(str(taken.number)))

    def _check_content(self, transaction: _Transaction, *, has_bare_newline: bool) -> None:
        if has_bare_newline:
            self._violate("bare newline in content", b"")
        if not transaction.is_ascii:
            if not (self._extended and self._options.eight_bit):
                self._violate("8-bit content, and 8BITMIME was not offered", b"")
            elif not (transaction.has("BODY=8BITMIME") or transaction.has("BODY=BINARYMIME")):
                self._violate("8-bit content without BODY=8BITMIME", b"")

    def _take(self, transaction: _Transaction, *, answered: bool) -> Taken:
        number, file = self._books.name_next()
        taken = Taken(
            number,
            self.number,
            self._peer,
            self._hello,
            self._tls,
            self._user,
            transaction.sender,
            transaction.parameters,
            tuple(transaction.recipients),
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
            raise self._out_of_order(replies.R502_NOT_IMPLEMENTED)
        how = self._options.starttls
        if how is StartTls.REFUSE:
            return Act(replies.R454_NO_TLS.octets)
        self._input = b""
        self._read = Dialogue._read_in_clear if how is StartTls.THEN_PLAIN else Dialogue._read_nothing
        go = replies.R220_START_TLS.octets
        return Act(go + _INJECTED if how is StartTls.INJECT else go, _AFTER_STARTTLS[how])

    def _auth(self, argument: bytes) -> Act:
        if not (self._options.user and self._extended):
            raise self._out_of_order(replies.R502_NOT_IMPLEMENTED)
        if self._user or self._transaction is not None:
            raise self._out_of_order(R503_NO_LOGIN_NOW)
        if not self._tls:
            self._violate("AUTH in the clear", b"")
        mechanism, _, initial = argument.partition(b" ")
        try:
            name = mechanism.decode("ascii", "replace").upper()
            self._login = Login(name, garbage=self._options.auth_garbage)
        except LoginError:
            raise CommandError(R504_MECHANISM) from None
        return self._answer_challenge(initial) if initial else self._challenge()

    def _answer_challenge(self, line: bytes) -> Act:
        assert self._login is not None
        try:
            self._login.answer(line)
        except LoginError:
            self._read = Dialogue._read_command
            return Act(R501_LOGIN.octets)
        return self._challenge()

    def _challenge(self) -> Act:
        """Ask on, or say what came of it."""
        assert self._login is not None
        challenge = self._login.challenge
        if challenge is not None:
            self._read = Dialogue._read_answer
            return Act(b"334 %s\r\n" % challenge.encode())
        self._read = Dialogue._read_command
        if not self._login.is_right(Credentials(self._options.user, self._options.password)):
            return Act(R535_WRONG.octets)
        self._user = self._options.user
        return Act(R235_LOGGED_IN.octets)

    def _done(self, argument: bytes) -> Act:
        return Act(replies.R250_DONE.octets)

    def _verify(self, argument: bytes) -> Act:
        return Act(replies.R252_TRY.octets)

    # What they have in common

    def _read_path(
        self, argument: bytes, keyword: bytes, offered: frozenset[str]
    ) -> tuple[str, str, tuple[str, ...]]:
        """Return the local part, the address as it stands, and the parameters. Raises: CommandError."""
        rest = argument[len(keyword) :]
        if argument[: len(keyword)].upper() != keyword:
            self._violate("malformed command", argument)
            raise CommandError(replies.R501_NEEDS_ARGUMENT)
        if rest.startswith(b" "):
            self._violate("white space before a path", argument)
        try:
            mailbox, behind = parse_path(rest.lstrip(b" "), international=True)
        except AddressError as error:
            self._violate("malformed path", argument)
            raise CommandError(replies.bad_recipient_syntax(str(error))) from None
        parameters = tuple(behind.decode("utf-8", "backslashreplace").split())
        names = {parameter.partition("=")[0].upper() for parameter in parameters}
        if names - (offered if self._extended else frozenset()):
            self._violate("parameter that was not offered", argument)
            raise CommandError(replies.R555_UNKNOWN_PARAMETER)
        return (
            ("", "", parameters) if mailbox is None else (mailbox.local, format_mailbox(mailbox), parameters)
        )

    def _plan_for(self, deed: Deed | None, transaction: _Transaction, now: Stage) -> Deed | None:
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

    def _out_of_order(self, reply: Reply, *, excused: bool = False) -> CommandError:
        """Note a command that may not come now, and return its refusal.

        `excused`: it may have been on its way when that before it was refused (RFC 2920 §3.1).
        """
        if not (excused and self._options.pipelining and self._extended):
            self._violate("out of order", self._verb)
        return CommandError(reply)

    def _check_ahead(self) -> None:
        """Note octets that came before the reply to what stands before them, where they may not."""
        if self._is_ahead_noted or self._verb == _CONTENT:
            return
        self._is_ahead_noted = True
        if not self._verb:
            self._violate("spoke before the greeting", self._input)
        elif not (self._options.pipelining and self._extended):
            self._violate("pipelining was not offered", self._verb)
        elif self._verb in _LAST_OF_GROUP:
            self._violate("octets behind what ends a group", self._verb)

    def _violate(self, what: str, detail: bytes) -> None:
        shown = detail[:_MOST_SHOWN_OCTETS].decode("utf-8", "backslashreplace")
        self._books.note_violation(self.number, what, shown)

    def _tell_path(self, event: str, address: str, parameters: tuple[str, ...]) -> None:
        if self._books.tells:
            self._books.tell(event, self.number, address=address, parameters=parameters)

    _HANDLERS: ClassVar[dict[bytes, Callable[["Dialogue", bytes], Act | None]]] = {
        b"HELO": _say_hello,
        b"EHLO": _say_hello,
        b"MAIL": _mail,
        b"RCPT": _rcpt,
        b"DATA": _begin_content,
        b"BDAT": _bdat,
        b"RSET": _reset,
        b"NOOP": _done,
        b"VRFY": _verify,
        b"STARTTLS": _starttls,
        b"AUTH": _auth,
        b"QUIT": _quit,
    }
