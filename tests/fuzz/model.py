"""What a session must come to, read off the whole wire: an independent and simple reading of the protocol.

It knows no segments, no grammar of addresses and parameters and nothing of the server's code. Where a reply
turns on such grammar, it takes the server's word and holds it to what follows from it.
"""

import base64
import re
from collections.abc import Collection

from paperpath.smtp.states import State
from tests.fuzz.session import MARK, SCRAM_FINAL, SCRAM_FIRST, Performance, Script

HTTP = (b"GET", b"POST", b"HEAD", b"PUT", b"CONNECT", b"OPTIONS", b"DELETE", b"PATCH", b"TRACE")
NOT_IMPLEMENTED = (b"EXPN", b"TURN", b"SEND", b"SOML", b"SAML", b"ETRN")
IN_CLEAR = (b"NOOP", b"EHLO", b"HELO", b"RSET", b"STARTTLS", b"QUIT")  # where TLS is required
FOR_STRANGERS = (*IN_CLEAR, b"AUTH")  # where a login is required
BARE = (b"DATA", b"RSET", b"QUIT", b"STARTTLS")  # take no argument
KNOWN = (*FOR_STRANGERS, b"MAIL", b"RCPT", b"DATA", b"BDAT", b"VRFY", b"HELP")

# Whoever says this where it may be said is answered by the driver, not the core.
CERTAIN_SENDER = re.compile(
    rb"(?i:MAIL FROM): ?<([a-z]{1,9}@[a-z]{1,9}\.example)?>(?: SIZE=[0-9])?(?: BODY=8BITMIME)?"
)
CERTAIN_RECIPIENT = re.compile(rb"(?i:RCPT TO): ?<([a-z]{1,9}@[a-z]{1,9}\.example)>")
SIMPLE_PATH = re.compile(rb"(?i:MAIL FROM|RCPT TO): *<([a-z]+@[a-z]+\.example)?>")

_BARE_NEWLINE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_CHUNK = re.compile(rb"([0-9]{1,20})(?:[ \t]+(?i:(LAST)))?")
_ANNOUNCES_CHUNK = re.compile(rb"[ \t]*BDAT(?![!-~])", re.I)
_HEADER_FIELD = re.compile(rb"[^\x00-\x20:\x7f-\xff]+:")
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_MECHANISM = re.compile(rb"[A-Za-z0-9_-]{1,20}")
_AUTH = re.compile(rb"AUTH ", re.I)  # blanks before it make it a line like others
_MOST_AUTH_OCTETS = 12_288
_REPLY = re.compile(rb"(?:[0-9]{3}-[^\r\n]*\r\n)*[0-9]{3} [^\r\n]*\r\n")
_STATUS = re.compile(rb"([245])\.[0-9]{1,3}\.[0-9]{1,3} ")


def check(script: Script, performance: Performance) -> None:
    """Assert that a session did what it must have done."""
    model = _Model(script, performance)
    model.read()
    assert model.replies == [], "replies to no command"
    assert model.closed is (performance.state is State.CLOSED)
    expected = [(sender, recipients, content) for sender, recipients, content in model.messages]
    assert len(performance.messages) == len(expected)
    for message, (sender, recipients, content) in zip(performance.messages, expected, strict=True):
        assert message.content == content
        assert len(message.recipients) == len(recipients)
        for mailbox, path in zip(
            [message.sender, *(recipient.address for recipient in message.recipients)],
            [sender, *recipients],
            strict=True,
        ):
            assert path is None or str(mailbox or "").encode() == path
    assert performance.logins == model.logins
    given = [reply.octets for reply in performance.given]
    assert [reply for reply in split_replies(performance.output) if MARK in reply] == given


def split_replies(output: bytes) -> list[bytes]:
    """Take replies apart; assert that nothing else is there."""
    assert _REPLY.sub(b"", output) == b""
    return _REPLY.findall(output)


def lint(reply: bytes, *, has_status: bool) -> None:
    """Assert the form of a reply (A-2, A-52)."""
    lines = reply.split(b"\r\n")[:-1]
    statuses = set()
    for number, line in enumerate(lines, 1):
        assert len(line) <= 510 or line.startswith(b"334 ")  # which may be as long as it takes
        assert all(32 <= octet < 127 for octet in line)
        assert line[:3] == reply[:3]
        assert 200 <= int(line[:3]) < 560
        assert line[3:4] == (b" " if number == len(lines) else b"-")
        status = _STATUS.match(line, 4)
        assert (status is not None) is has_status
        if status is not None:
            assert status[1] == line[:1]
            statuses.add(status[0])
    assert len(statuses) == has_status


def unstuff(octets: bytes) -> bytes:
    """Take one dot off each line that begins with one (RFC 5321 §4.5.2)."""
    return b"\r\n".join(line[1:] if line[:1] == b"." else line for line in octets.split(b"\r\n"))


def find_end_of_data(octets: bytes) -> int:
    """Return where the final dot stands, -1 if it has not come (A-34)."""
    if octets[:3] == b".\r\n":
        return 0
    end = octets.find(b"\r\n.\r\n")
    return end + 2 if end >= 0 else -1


def has_bare_newline(octets: bytes) -> bool:
    """Tell whether a CR or LF stands alone."""
    return _BARE_NEWLINE.search(octets) is not None


class _OutOfOctetsError(Exception):
    """The wire ends inside something."""


class _Model:
    def __init__(self, script: Script, performance: Performance) -> None:
        self._settings = script.settings
        self._performance = performance
        self._wire = b"".join(script.parts)
        self._part_ends = [len(b"".join(script.parts[: index + 1])) for index in range(len(script.parts))]
        self._at = 0
        self._encrypted = script.encrypted
        self.closed = False
        self._errors = self._failures = 0
        self.logins: list[str] = []
        self._forget()
        self.replies = split_replies(performance.output)
        self.messages: list[tuple[bytes | None, list[bytes | None], bytes]] = []

    def _forget(self) -> None:
        self._introduced = self._logged_in = False
        self._end_transaction()

    def _end_transaction(self) -> None:
        self._in_transaction = self._binary = self._international = False
        self._sender: bytes | None = None
        self._recipients: list[bytes | None] = []
        self._chunks = 0
        self._content = b""

    def read(self) -> None:
        lint(self.replies[0], has_status=False)
        assert self.replies.pop(0).startswith(b"220 ")
        try:
            while not self.closed:
                self._read_line(self._next_line())
        except _OutOfOctetsError:
            pass

    def _next_line(self) -> bytes:
        end = self._wire.find(b"\r\n", self._at)
        if end < 0:
            raise _OutOfOctetsError
        line, self._at = self._wire[self._at : end], end + 2
        return line

    def _read_line(self, line: bytes) -> None:
        is_auth = self._settings.mechanisms and _AUTH.match(line)
        too_long = len(line) + 2 > (_MOST_AUTH_OCTETS if is_auth else self._settings.line_octets)
        verb, _, argument = line.strip(b" \t").partition(b" ")
        verb, argument = verb.upper(), argument.strip(b" \t")
        if too_long or b"\r" in line or b"\n" in line or verb not in KNOWN:
            self._read_nonsense(line, verb, too_long)
        elif argument and verb in BARE:
            self._answer({501})
        elif verb == b"BDAT":
            self._read_chunk(argument)
        elif self._is_barred(verb):
            self._answer({530})
        else:
            _HANDLERS[verb](self, line, argument)

    def _is_barred(self, verb: bytes) -> bool:
        if self._settings.tls_required and not self._encrypted:
            return verb not in IN_CLEAR
        return self._settings.auth_required and not self._logged_in and verb not in FOR_STRANGERS

    def _read_nonsense(self, line: bytes, verb: bytes, too_long: bool) -> None:
        if _ANNOUNCES_CHUNK.match(line):  # nobody knows what follows
            self._answer({501}, counts=False)
            self.closed = True
        elif too_long or b"\r" in line or b"\n" in line:
            self._answer({500})
        elif line.split(b" ")[0] in HTTP or (not self._introduced and _HEADER_FIELD.match(line)):
            self._answer({421})
        else:
            self._answer({502} if verb in NOT_IMPLEMENTED else {500})

    def _hello(self, line: bytes, argument: bytes) -> None:
        extended = line.strip(b" \t")[:4].upper() == b"EHLO"
        reply = self._answer({250, 501}, is_hello=True)
        if reply[:3] == b"250":
            self._end_transaction()
            self._introduced = True
            assert extended or reply.count(b"\r\n") == 1
            offers = extended and self._settings.tls and not self._encrypted
            assert reply.count(b"STARTTLS\r\n") == offers or b"STARTTLS" in argument
            assert (b"\r\n250 AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n" in reply) is (
                extended and self._offers_login()
            )
            assert (b"250-DSN\r\n" in reply) is (extended and self._settings.dsn)

    def _offers_login(self) -> bool:
        settings = self._settings
        return bool(settings.mechanisms) and (self._encrypted or settings.auth_in_clear)

    def _auth(self, line: bytes, argument: bytes) -> None:
        mechanism, _, initial = argument.partition(b" ")
        mechanism, initial = mechanism.upper(), initial.lstrip(b" ")
        if not self._settings.mechanisms:
            self._answer({502})
        elif not self._introduced or self._in_transaction:
            self._answer({503})
        elif not mechanism:
            self._answer({501})
        elif self._logged_in and _MECHANISM.fullmatch(mechanism):
            self._answer({503})
        elif not self._offers_login() or mechanism not in _EXCHANGES:
            self._answer({504})
        else:
            _EXCHANGES[mechanism](self, initial)

    def _plain(self, initial: bytes) -> None:
        message = self._response(initial, b"")
        if message is None:
            return
        parts = message.split(b"\0")
        if len(parts) == 3 and all(map(_is_legal, parts[1:])) and (not parts[0] or _is_legal(parts[0])):
            self._end_login(parts[1])
        else:
            self._answer({535})

    def _login(self, initial: bytes) -> None:
        name = self._response(initial, b"Username:")
        password = None if name is None else self._response(b"", b"Password:")
        if name is not None and password is not None:
            if _is_legal(name) and _is_legal(password):
                self._end_login(name)
            else:
                self._answer({535})

    def _scram(self, initial: bytes) -> None:
        first = self._response(initial, b"")
        if first is None:
            return
        if MARK in self.replies[0]:  # no keys just now
            self._end_login(None)
            return
        reply = self._answer({334, 535})
        is_right = base64.b64encode(first) == SCRAM_FIRST
        assert reply[:3] == b"334" or not is_right
        final = self._answer_to_challenge() if reply[:3] == b"334" else None
        if final is None:
            return
        if not (is_right and base64.b64encode(final) == SCRAM_FINAL):
            self._end_login(None)
            return
        nothing = self._response(b"", b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        if nothing == b"":
            self._end_login(b"user")
        elif nothing is not None:
            self._answer({535})

    def _response(self, initial: bytes, challenge: bytes) -> bytes | None:
        """Read a response, which came with AUTH or follows a challenge; `None` if it ended the attempt."""
        if initial:
            return self._decode(b"" if initial == b"=" else initial)
        assert self._answer({334}) == b"334 " + base64.b64encode(challenge) + b"\r\n"
        return self._answer_to_challenge()

    def _answer_to_challenge(self) -> bytes | None:
        line = self._next_line()
        if len(line) + 2 > _MOST_AUTH_OCTETS:
            self._answer({500})
            return None
        return self._decode(line)

    def _decode(self, line: bytes) -> bytes | None:
        if not _BASE64.fullmatch(line) or base64.b64encode(base64.b64decode(line)) != line:
            self._answer({501})  # `*` among them
            return None
        return base64.b64decode(line)

    def _end_login(self, name: bytes | None) -> None:
        """Take the driver's judgement; `None`: of somebody who has proved nothing, and is not let in."""
        reply = self._answer(())
        assert MARK in reply
        if reply[:3] == b"235":
            assert name is not None
            self._logged_in = True
            self.logins.append(name.decode())
        elif reply[:1] == b"5":
            self._failures += 1
            if self._failures == self._settings.failed_logins:
                self._answer({421})

    def _mail(self, line: bytes, argument: bytes) -> None:
        if not self._introduced or self._in_transaction:
            self._answer({503})
            return
        reply = self._answer({501, 550, 552, 555})
        assert not CERTAIN_SENDER.fullmatch(line) or MARK in reply
        if reply[:3] == b"250":
            identity = (b"AUTH",) if self._settings.mechanisms else ()
            self._check_line(line, b"SIZE", b"BODY", b"SMTPUTF8", *self._if_dsn(b"RET", b"ENVID"), *identity)
            words = line.upper().split()
            self._in_transaction = True
            self._binary = b"BODY=BINARYMIME" in words
            self._international = b"SMTPUTF8" in words
            self._sender = self._simple_path(line)
            assert self._settings.binary or not self._binary
            assert self._international or line.isascii()

    def _rcpt(self, line: bytes, argument: bytes) -> None:
        if not self._in_transaction or self._chunks:
            self._answer({503})
            return
        reply = self._answer({501, 553, 555, 452})
        if len(self._recipients) < self._settings.recipients:
            assert reply[:3] != b"452"
            assert not CERTAIN_RECIPIENT.fullmatch(line) or MARK in reply
        if reply[:3] == b"250":
            self._check_line(line, *self._if_dsn(b"NOTIFY", b"ORCPT"))
            assert len(self._recipients) < self._settings.recipients
            assert self._international or line.isascii()
            self._recipients.append(self._simple_path(line))

    def _if_dsn(self, *keywords: bytes) -> tuple[bytes, ...]:
        return keywords if self._settings.dsn else ()

    def _check_line(self, line: bytes, *keywords: bytes) -> None:
        """Assert that a line that was taken has no control and no parameter not offered (A-29, A-33)."""
        assert all(octet >= 32 or octet == 9 for octet in line)
        assert 127 not in line
        line.decode("utf-8")
        path = SIMPLE_PATH.match(line)
        if path is not None:
            given = {word.partition(b"=")[0].upper() for word in line[path.end() :].split()}
            assert given <= set(keywords)

    def _simple_path(self, line: bytes) -> bytes | None:
        path = SIMPLE_PATH.match(line)
        return (path[1] or b"") if path else None

    def _data(self, line: bytes, argument: bytes) -> None:
        if not self._recipients or self._chunks or self._binary:
            self._answer({503})
            return
        self._answer({354})
        rest = self._wire[self._at :]
        end = find_end_of_data(rest)
        if end < 0:
            self._check_unfinished(unstuff(rest), 4)
        self._at += end + 3
        content = unstuff(rest[:end])
        refusals = {552} if len(content) > self._settings.size else set()
        refusals |= {550} if has_bare_newline(rest[:end]) else set()
        self._end_content(content, refusals)

    def _end_content(self, content: bytes, refusals: Collection[int]) -> None:
        reply = self._answer(refusals, counts=False)
        assert (MARK in reply) is not bool(refusals)
        if reply[:3] == b"250":
            self.messages.append((self._sender, self._recipients, content))
        self._end_transaction()

    def _check_unfinished(self, content: bytes, most_held: int) -> None:
        if len(content) <= self._settings.size:
            message = self._performance.open
            assert message is not None
            assert message.content is not None
            assert content.startswith(message.content)
            assert len(content) - len(message.content) <= most_held
        raise _OutOfOctetsError

    def _read_chunk(self, argument: bytes) -> None:
        announced = _CHUNK.fullmatch(argument)
        if announced is None or int(announced[1]) >= 2**63:
            self._answer({501}, counts=False)
            self.closed = True
            return
        size = int(announced[1])
        octets = self._wire[self._at : self._at + size]
        refusal = 0
        if not self._recipients:
            refusal = 503
        elif len(self._content) + size > self._settings.size:
            refusal = 552
        if self._is_barred(b"BDAT"):
            refusal = 530
        self._at += size
        if refusal:
            if len(octets) < size:
                raise _OutOfOctetsError
            self._answer({refusal}, counts=refusal != 552)
            if refusal == 552:
                self._end_transaction()
            return
        self._take_chunk(octets, size, is_last=announced[2] is not None)

    def _take_chunk(self, octets: bytes, size: int, *, is_last: bool) -> None:
        self._chunks += 1
        if self._chunks > 1000 and len(self._content) < self._chunks * 64:
            self._answer({421})
            return
        self._content += octets
        if len(octets) < size:
            self._check_unfinished(self._content, 0)
        if is_last:
            is_refused = has_bare_newline(self._content) and not self._binary
            self._end_content(self._content, {550} if is_refused else set())
        else:
            self._answer({250})

    def _starttls(self, line: bytes, argument: bytes) -> None:
        if self._encrypted or not self._settings.tls:
            self._answer({503 if self._encrypted else 502})
            return
        part_end = next(end for end in self._part_ends if end >= self._at)
        reply = self._answer({421} if part_end > self._at else ())
        if reply[:3] == b"220":
            self._at = part_end
            self._encrypted = True
            self._forget()

    def _rset(self, line: bytes, argument: bytes) -> None:
        self._answer({250})
        self._end_transaction()

    def _quit(self, line: bytes, argument: bytes) -> None:
        self._answer({221})
        self.closed = True

    def _noop(self, line: bytes, argument: bytes) -> None:
        self._answer({250})

    def _help(self, line: bytes, argument: bytes) -> None:
        self._answer({214})

    def _vrfy(self, line: bytes, argument: bytes) -> None:
        self._answer({252, 553} if argument else {501})

    def _answer(self, codes: Collection[int], *, is_hello: bool = False, counts: bool = True) -> bytes:
        """Take the reply to a command: the driver's, or the core's with one of these codes."""
        assert self.replies, "a command without a reply"
        reply = self.replies.pop(0)
        code = int(reply[:3])
        assert MARK in reply or code in codes, (codes, reply)
        lint(reply, has_status=code not in (334, 354) and not (is_hello and code == 250))
        self.closed |= code in (421, 221)
        if counts and code >= 500 and MARK not in reply:
            self._errors += 1
            if self._errors > self._settings.errors:
                self._answer({421})
        return reply


_HANDLERS = {
    b"HELO": _Model._hello,
    b"EHLO": _Model._hello,
    b"AUTH": _Model._auth,
    b"MAIL": _Model._mail,
    b"RCPT": _Model._rcpt,
    b"DATA": _Model._data,
    b"RSET": _Model._rset,
    b"NOOP": _Model._noop,
    b"VRFY": _Model._vrfy,
    b"HELP": _Model._help,
    b"STARTTLS": _Model._starttls,
    b"QUIT": _Model._quit,
}

_EXCHANGES = {b"PLAIN": _Model._plain, b"LOGIN": _Model._login, b"SCRAM-SHA-256": _Model._scram}


def _is_legal(text: bytes) -> bool:
    """Tell whether a name or a password may be one (A-81)."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return 0 < len(text) <= 255 and b"\0" not in text
