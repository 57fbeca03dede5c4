"""`sendmail -bs`: SMTP on standard input and output, passed on to smtpsd (requirements J-9, X-12).

One command at a time, whatever a caller sends at once: so it is clear at every moment whether content is
sent, and input that ends within it is not taken for its end. Where the first line ends with LF, all lines
may, and go on with CRLF. Where it ends with CRLF nothing is changed: for such a caller a lone LF ends no
line, and it puts no second dot behind one (attack S-8).
"""

import os
import re
import socket
from collections.abc import Iterator

from paperpath.commands.exits import Exit, ExitError
from paperpath.commands.plain_configuration import PlainConfiguration
from paperpath.commands.submission_session import AwayError, connect
from paperpath.smtp.grammar import announces_chunk, parse_chunk, parse_command
from paperpath.smtp.refusal import CommandError

_PIECE_OCTETS = 64 * 1024
_REPLY_S = 600.0
_REPLY_LINE = re.compile(rb"(\d{3})([ -]?)[^\r\n]*\r\n")
_CLOSING = 421
_CUT = "the input ended within a message, which was not sent"
_CUT_LINE = "the input ended within a line"
_NO_TLS = b"454 4.7.0 There is no TLS on this way, which does not leave the host\r\n"


def hold_dialogue(configuration: PlainConfiguration) -> None:
    """Pass on what stands on standard input, and the replies to it.

    Raises: ExitError, for a session that did not end as it should.
    """
    try:
        server = connect(configuration.submission)
    except AwayError as error:
        raise ExitError(Exit.LATER, f"smtpsd takes no mail now: {error}") from None
    with server:
        Dialogue(server).hold()


class Dialogue:
    """One session between whoever called and the server."""

    def __init__(self, server: socket.socket, source: int = 0, target: int = 1) -> None:
        """Take a connection, and the files to read commands from and to write replies to."""
        server.settimeout(_REPLY_S)
        self._server = server
        self._replies = server.makefile("rb")
        self._input = Lines(source)
        self._target = target

    def hold(self) -> None:
        """Pass everything on, until one of the two ends it. Raises: ExitError."""
        if self._pass_reply() != 220:
            raise ExitError(Exit.REFUSED, "smtpsd does not want to talk")
        while (line := self._input.read()) is not None:
            verb = line[:4].upper()
            if line.strip().upper() == b"STARTTLS":
                self._write(_NO_TLS)
                continue
            code = self._pass_command(line)
            if code == _CLOSING:
                raise ExitError(Exit.LATER, "smtpsd ended the session")
            if verb == b"QUIT" and code < 300:
                return
        self._send(b"QUIT\r\n")

    def _pass_command(self, line: bytes) -> int:
        """Pass a command on, what belongs to it, and the replies; return the code of the last one."""
        self._pass_line(line)
        for octets in self._input.read_octets(_count_chunk(line)):
            self._send(octets)
        code = self._pass_reply()
        while code == 334:  # what follows is no command (RFC 4954 §4)
            self._pass_line(self._need(self._input.read()))
            code = self._pass_reply()
        if code != 354:
            return code
        is_at_start, is_dot = True, False
        while not is_dot:
            octets = self._need(self._input.read())
            is_dot = is_at_start and octets == b".\r\n"
            is_at_start = octets.endswith(b"\r\n")
            self._send(octets)
        return self._pass_reply()

    def _pass_line(self, line: bytes) -> None:
        """Pass a line on, of which this may be a part: to none is there a reply before its end."""
        self._send(line)
        while not line.endswith(b"\r\n"):
            line = self._need(self._input.read(), _CUT_LINE)
            self._send(line)

    def _pass_reply(self) -> int:
        """Pass a reply on, all its lines. Raises: ExitError, where none comes."""
        while True:
            try:
                line = self._replies.readline(_PIECE_OCTETS)
            except OSError as error:
                raise ExitError(Exit.LATER, f"smtpsd does not answer: {error}") from error
            found = _REPLY_LINE.fullmatch(line)
            if found is None:
                raise ExitError(Exit.LATER if not line else Exit.PROTOCOL, "smtpsd ended the session")
            self._write(line)
            if found[2] != b"-":
                return int(found[1])

    def _send(self, octets: bytes) -> None:
        try:
            self._server.sendall(octets)
        except OSError:  # it hears nothing any more, but may have said why
            return

    def _write(self, octets: bytes) -> None:
        view = memoryview(octets)
        try:
            while view:
                view = view[os.write(self._target, view) :]
        except OSError as error:
            raise ExitError(Exit.IO, f"nobody reads the replies: {error.strerror}") from error

    def _need(self, line: bytes | None, complaint: str = _CUT) -> bytes:
        """Return what came; its end, here, is that of no message. Raises: ExitError."""
        if line is None:
            raise ExitError(Exit.IO, complaint)
        return line


def _count_chunk(line: bytes) -> int:
    """Tell how many octets follow a command, as the server does: none where it is no BDAT, or a wrong one."""
    if not announces_chunk(line):
        return 0
    try:
        _, argument = parse_command(line.removesuffix(b"\r\n"))
        return parse_chunk(argument)[0]
    except CommandError:
        return 0


class Lines:
    """The input by lines, long ones in parts.

    They end as the first one does: with LF, for which CRLF is given, or with CRLF and nothing else.
    """

    def __init__(self, descriptor: int) -> None:
        """Take the file."""
        self._descriptor = descriptor
        self._octets = b""
        self._at = 0
        self._end = b""  # of a line, once the first one has come

    def read(self) -> bytes | None:
        """Return a line; `None` where the input ends, within one too. Raises: ExitError."""
        while (end := self._find_end()) < 0:
            if len(self._octets) - self._at > _PIECE_OCTETS:
                return self._take(_PIECE_OCTETS)
            if not self._read_more():
                return None
        line = self._take(end - self._at)
        return line if line.endswith(b"\r\n") else line[:-1] + b"\r\n"

    def read_octets(self, count: int) -> Iterator[bytes]:
        """Give that many octets as they are. Raises: ExitError, where there are fewer."""
        while count:
            if self._at == len(self._octets) and not self._read_more():
                raise ExitError(Exit.IO, _CUT)
            octets = self._take(count)
            count -= len(octets)
            yield octets

    def _find_end(self) -> int:
        """Return where the next line ends, -1 where that has not come."""
        if not self._end and (first := self._octets.find(b"\n")) >= 0:
            self._end = b"\r\n" if self._octets[:first].endswith(b"\r") else b"\n"
        found = self._octets.find(self._end, self._at) if self._end else -1
        return found if found < 0 else found + len(self._end)

    def _take(self, count: int) -> bytes:
        begin = self._at
        self._at = min(begin + count, len(self._octets))
        return self._octets[begin : self._at]

    def _read_more(self) -> bool:
        """Read, and tell whether there was more. Raises: ExitError."""
        try:
            octets = os.read(self._descriptor, _PIECE_OCTETS)
        except OSError as error:
            raise ExitError(Exit.IO, f"the input cannot be read: {error.strerror}") from error
        self._octets, self._at = self._octets[self._at :] + octets, 0
        return bool(octets)
