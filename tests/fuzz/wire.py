"""What clients say in the tests: tokens to make a wire of, openings that lead into each state."""

from dataclasses import replace

from paperpath.smtp.sasl import MECHANISMS
from paperpath.smtp.settings import Settings
from tests.fuzz.session import SCRAM_FINAL, SCRAM_FIRST

SENDER = b"MAIL FROM:<a@b.example>\r\n"
RECIPIENT = b"RCPT TO:<u@here.example>\r\n"
_READY = b"EHLO c.example\r\n"
_RECIPIENTS = _READY + SENDER + RECIPIENT

# Where a session is, and what leads there in a session of its own. `>>` goes on inside TLS.
OPENINGS = {
    "connected": b"",
    "ready": _READY,
    "sender": _READY + SENDER,
    "recipients": _RECIPIENTS,
    "content": _RECIPIENTS + b"DATA\r\n",
    "chunks": _RECIPIENTS + b"BDAT 3\r\nabc",
    "inside a chunk": _RECIPIENTS + b"BDAT 30\r\nabc",
    "discarding a chunk": b"BDAT 30\r\nabc",
    "login": _READY + b"AUTH LOGIN\r\n",
    "handshake": _READY + b"STARTTLS\r\n",
    "encrypted": _READY + b"STARTTLS\r\n>>",
    "closed": b"QUIT\r\n",
}
INTO_TLS = b">>"  # ends one part of a script

LINES = (
    SENDER, RECIPIENT, _READY, b"HELO c\r\n", b"EHLO\r\n", b"EHLO \x80\r\n", b"EHLO " + b"n" * 500 + b"\r\n",
    b"MAIL FROM:<>\r\n", b"mail from: <c@d.example>\r\n", b"MAIL FROM:<c@d.example> SMTPUTF8\r\n",
    b"MAIL FROM:<c@d.example> BODY=BINARYMIME\r\n",
    b"MAIL FROM:<c@d.example> SIZE=9 BODY=8BITMIME RET=HDRS\r\n",
    b"MAIL FROM:<c@d.example> X=1\r\n", b"MAIL FROM:<c@d.example> SIZE=99999999\r\n",
    b"RCPT TO:<v@here.example>\r\n",
    b"RCPT TO:<>\r\n", b"RCPT TO:<\xc3\xa9@here.example>\r\n", b"RCPT TO:<w@here.example> NOTIFY=NEVER\r\n",
    b"RCPT TO:<w@here.example> ORCPT=rfc822;w\r\n", b"RCPT TO:<w@here.example> X=1\r\n",
    b'RCPT TO:<"q q"@here.example>\r\n', b"DATA\r\n", b"DATA now\r\n", b"STARTTLS\r\n", b"STARTTLS x\r\n",
    b"RSET\r\n", b"NOOP\r\n", b"NOOP \t\r\n", b"NOOP a\rb\r\n", b"NOOP a\nb\r\n", b"VRFY u\r\n", b"VRFY\r\n",
    b"VRFY \xc3\xa9 SMTPUTF8\r\n", b"HELP\r\n", b"EXPN x\r\n", b"QUIT\r\n", b"QUIT now\r\n", b"FOO\r\n",
    b"GET / HTTP/1.1\r\n", b"Host: x\r\n", b"A" * 600 + b"\r", INTO_TLS,
)  # fmt: skip
LOGIN = b"AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n"
_SCRAM = b"AUTH SCRAM-SHA-256 " + SCRAM_FIRST + b"\r\n"
LOGINS = (
    LOGIN, LOGIN + SENDER, b"AUTH PLAIN\r\n", b"AUTH PLAIN =\r\n", b"AUTH PLAIN dABpbQB0\r\n", b"AUTH\r\n",
    b"auth login\r\n", b"AUTH LOGIN dGlt\r\n", b"AUTH LOGIN " + b"A" * 600 + b"\r\n", b"AUTH  PLAIN  AA\r\n",
    b"AUTH CRAM-MD5\r\n", b"AUTH EXTERNAL =\r\n", b"AUTH SCRAM-SHA-256\r\n", _SCRAM, SCRAM_FIRST + b"\r\n",
    SCRAM_FINAL + b"\r\n", _SCRAM + SCRAM_FINAL + b"\r\n\r\n", _SCRAM + SCRAM_FINAL + b"\r\n", b"dGlt\r\n",
    b"dGlt =\r\n", b"dGl\r\n", b"dGl=\r\n", b"*\r\n", b"=\r\n", b"\r\n", b"B" * 600 + b"\r\n",
    b"MAIL FROM:<a@b.example> AUTH=<>\r\n", b"MAIL FROM:<joe>\r\n", b"RCPT TO:<joe@sales.>\r\n",
)  # fmt: skip
CHUNKS = (
    b"BDAT 0\r\n", b"BDAT 0 LAST\r\n", b"BDAT 2\r\na\r", b"BDAT 2 LAST\r\n\nb", b"BDAT 2 LAST\r\nab",
    b"BDAT 5\r\nDATA\r", b"BDAT 8 LAST\r\nRSET\r\n.\r", b"BDAT 6\r\nNOOP\r\n", b"BDAT 20\r\n",
    b"BDAT 1500\r\n", b"BDAT 600\r\n" + b"y" * 600, b"BDAT 4 LAST\r\na\nb\r", b"BDAT x\r\n",
    b"BDAT 99999999999999999999\r\n",
    b"BDAT\t5\r\nNOOP\r", b"BDAT 6\n\r\nNOOP\r\n", b"BDAT 6 " + b" " * 600 + b"\r\nNOOP\r\n",
)  # fmt: skip
CONTENT = (
    b".\r\n", b"\r\n.\r\n", b"..\r\n", b"\r\n..", b"\r\n.\r", b"\n.\r\n", b"\r.\r\n", b"text\r\n",
    b"x" * 600, b"\r\n", b"\r", b"\n", b"\x00", b"\x0b", b" ", b"\xff", b"<", b">", b" SIZE=1", b" BODY=7BIT",
)  # fmt: skip
TRANSACTIONS = (
    _RECIPIENTS + b"DATA\r\n", SENDER + RECIPIENT + b"DATA\r\nshort\r\n.\r\n",
    SENDER + RECIPIENT + b"DATA\r\n" + b"x" * 600 + b"\r\n.\r\n", SENDER + RECIPIENT + b"BDAT 3 LAST\r\nabc",
    SENDER + RECIPIENT + b"BDAT 3\r\nabc", SENDER + RECIPIENT + b"DATA\r\n" + b".y\r\n" * 400 + b".\r\n",
)  # fmt: skip
TOKENS = LINES + LOGINS + CHUNKS + CONTENT + TRANSACTIONS

# Small limits, so that short wires run into them.
PLAIN = Settings("mx.here.example", size=1000, recipients=3, line_octets=512, errors=6, tls=True)
FULL = replace(PLAIN, dsn=True, binary=True, mechanisms=MECHANISMS, auth_in_clear=True)
STRICT = replace(FULL, tls_required=True)
WITHOUT_TLS = replace(PLAIN, tls=False)
_RELAYING = (PLAIN, FULL, STRICT, WITHOUT_TLS)
ALL_SETTINGS = (
    *_RELAYING,
    *(replace(each, mechanisms=MECHANISMS, auth_required=True, submission=True) for each in _RELAYING),
)
