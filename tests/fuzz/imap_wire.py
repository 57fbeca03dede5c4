"""What clients of IMAP say in the tests: tokens to make a wire of, openings that lead into each state."""

from dataclasses import replace

from paperpath.imap.extensions import Extension
from tests.support.imap_core import BARE, MINUS, SETTINGS

LOGIN = b"l LOGIN tim tanstaaftanstaaf\r\n"
_SELECTED = LOGIN + b"s SELECT INBOX\r\n"

# Where a session is, and what leads there.
OPENINGS = {
    "greeted": b"",
    "authenticated": LOGIN,
    "selected": _SELECTED,
    "login": b"a AUTHENTICATE LOGIN\r\n",
    "message": _SELECTED + b"m APPEND INBOX {50}\r\nabc",
    "idling": _SELECTED + b"i IDLE\r\n",
    "closed": b"q LOGOUT\r\n",
    "inside a literal": _SELECTED + b"c SUBSCRIBE {20}\r\nabc",
    "discarding a literal": _SELECTED + b"d SUBSCRIBE {700+}\r\nabc",
    "refused message": _SELECTED + b"r APPEND refused {50+}\r\nabc",
}

LINES = (
    LOGIN, _SELECTED, b"a NOOP\r\n", b"b CAPABILITY\r\n", b"c LOGOUT\r\n", b"d STARTTLS\r\n", b"e ID NIL\r\n",
    b'f ID ("name" "x" "os" NIL)\r\n', b"g LOGIN {3}\r\n",
    b"g LOGIN {3+}\r\ntim {16+}\r\ntanstaaftanstaaf\r\n",
    b'h LOGIN "tim" "wrong"\r\n', b"i AUTHENTICATE PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n",
    b"i AUTHENTICATE PLAIN\r\n", b"AHRpbQB0YW5zdGFhZnRhbnN0YWFm\r\n", b"*\r\n", b"i AUTHENTICATE LOGIN\r\n",
    b"i AUTHENTICATE SCRAM-SHA-256 biwsbj11c2VyLHI9ck9wck5HZndFYmVSV2diTkVrcU8=\r\n", b"dGlt\r\n",
    b"j ENABLE QRESYNC CONDSTORE\r\n", b"j ENABLE UTF8=ACCEPT\r\n", b"j ENABLE IMAP4rev2 X\r\n",
    b"k SELECT INBOX (QRESYNC (1 2 1:3 (1 2)))\r\n", b"k EXAMINE refused\r\n", b"k SELECT {5+}\r\nINBOX\r\n",
    b'm LIST (SUBSCRIBED RECURSIVEMATCH) "" (% "a*") RETURN (CHILDREN STATUS (SIZE UNSEEN))\r\n',
    b'm LIST "" "*"\r\n', b"m LSUB {0}\r\n", b"n STATUS INBOX (MESSAGES HIGHESTMODSEQ)\r\n",
    b"n CREATE a/b (USE (\\Sent \\Foo))\r\n", b"n RENAME a Entw&APw-rfe\r\n", b"n DELETE &-\r\n",
    b"n SUBSCRIBE R&D\r\n", b"n GETQUOTAROOT INBOX\r\n", b"n NAMESPACE\r\n", b"o IDLE\r\n", b"DONE\r\n",
    b"p UID FETCH 1:* (FLAGS BODY.PEEK[1.2.MIME]<0.5>) (CHANGEDSINCE 5 VANISHED)\r\n",
    b"p FETCH $ (BODY[HEADER.FIELDS (From {2}\r\n", b"To)] BINARY.SIZE[1] PREVIEW (LAZY))\r\n",
    b"p FETCH 1 ALL\r\n",
    b"r UID SEARCH RETURN (MIN SAVE) CHARSET UTF-8 OR NOT SEEN (FROM {2+}\r\n\xc3\xa9 1:*) MODSEQ 5\r\n",
    b"r SEARCH CHARSET KOI8-R ALL\r\n", b"r SEARCH SENTSINCE 1-Feb-2020 OLDER 5\r\n",
    b"t SORT (REVERSE DATE) UTF-8 ALL\r\n", b"t UID THREAD REFERENCES US-ASCII SUBJECT \"a\\\"b\"\r\n",
    b"u STORE 1,3:5 (UNCHANGEDSINCE 7) +FLAGS.SILENT (\\Seen $Junk)\r\n", b"u STORE 1 FLAGS x y\r\n",
    b"u UID MOVE 4294967295:* refused\r\n", b"u COPY 1 INBOX\r\n", b"u UID EXPUNGE 3\r\n", b"u CLOSE\r\n",
    b"GET / HTTP/1.1\r\n", b"+ NOOP\r\n", b"\r\n", b"v UID NOOP\r\n", b"v " + b"A" * 700 + b"\r\n",
)  # fmt: skip
MESSAGES = (
    b"A APPEND INBOX {3}\r\nabc\r\n", b'A APPEND INBOX (\\Seen) "17-Jul-1996 02:44:25 -0700" ~{3+}\r\na\0c',
    b" (x) {2+}\r\nhi\r\n", b" {1+}\r\n", b"A APPEND refused {9+}\r\n", b"A APPEND {5}\r\nINBOX {0}\r\n",
    b"A APPEND INBOX UTF8 (~{2+}\r\nab)\r\n", b"A APPEND INBOX {1001+}\r\n", b"A APPEND INBOX {1001}\r\n",
)  # fmt: skip
CRUMBS = (
    b"\r", b"\n", b"\r\n", b"\0", b"(" * 120, b")", b'"', b"\\", b"{", b"{5+}\r\n", b"{5}\r\n", b"{700+}\r\n",
    b"{9999999999}\r\n", b"{99999999999999999999+}\r\n", b" ", b"NOT ", b"OR ", b"x" * 300, b"1:*,",
    b"\xc3\xbc",
)  # fmt: skip
TOKENS = LINES + MESSAGES + CRUMBS

# Where nothing turns the wire into another: what stands behind STARTTLS and COMPRESS depends on the cut.
_STEADY = replace(SETTINGS, tls=False, extensions=SETTINGS.extensions - {Extension.COMPRESS})
PATIENT = replace(_STEADY, errors=10_000, failed_logins=10_000)
ALL_SETTINGS = (
    _STEADY,
    PATIENT,
    replace(BARE, tls=False),
    replace(MINUS, tls=False, extensions=MINUS.extensions - {Extension.COMPRESS}),
)
