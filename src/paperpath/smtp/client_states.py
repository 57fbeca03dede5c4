"""What a client waits for, and what each reply means there: one table (RFC 5321 §4.2.1, §4.3.2).

Rule 1: what a reply means is decided here and nowhere else, by its first digit alone (RFC 5321 §4.2).
Rule 2: what the table does not list is nonsense, and ends the connection: a peer that answers what nobody
        asked cannot be trusted to mean the next reply for the next command.
Rule 3: only 3yz to DATA permits content, and only 2yz to the end of it delivers.
421 is no part of the table: wherever it comes, the peer closes the connection (RFC 5321 §3.8).
"""

from enum import Enum


class Wait(Enum):
    """What the next reply is to, or what else is waited for; the driver takes its timeout from it."""

    GREETING = "greeting"
    HELLO = "hello"  # EHLO, HELO or LHLO
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    RESET = "RSET"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CHUNK = "BDAT"  # the reply to a chunk that is not the last
    CONTENT = "content"  # no reply is due: the driver sends content
    END = "end of content"  # the reply to it, one per recipient by LMTP
    QUIT = "QUIT"
    NOTHING = "nothing"  # nothing is due from the peer

    __hash__ = object.__hash__  # members are compared by identity; Enum's own hash is Python, once a look-up


class Meaning(Enum):
    """What a reply means where it came."""

    TAKEN = "taken"
    MORE = "more"  # AUTH goes on
    REFUSED = "refused"
    NO_PERMISSION = "no permission"  # positive, but not what permits content
    NONSENSE = "nonsense"


_PLAIN = {2: Meaning.TAKEN, 4: Meaning.REFUSED, 5: Meaning.REFUSED}

TABLE: dict[Wait, dict[int, Meaning]] = {
    Wait.GREETING: _PLAIN,
    Wait.HELLO: _PLAIN,
    Wait.STARTTLS: _PLAIN,
    Wait.AUTH: _PLAIN | {3: Meaning.MORE},
    Wait.RESET: {2: Meaning.TAKEN},
    Wait.MAIL: _PLAIN,
    Wait.RCPT: _PLAIN,
    Wait.DATA: {3: Meaning.TAKEN, 2: Meaning.NO_PERMISSION, 4: Meaning.REFUSED, 5: Meaning.REFUSED},
    Wait.CHUNK: _PLAIN,
    Wait.CONTENT: {},
    Wait.END: _PLAIN,
    Wait.QUIT: _PLAIN | {3: Meaning.TAKEN},
    Wait.NOTHING: {},
}


def interpret(wait: Wait, code: int) -> Meaning:
    """Return what a reply with this code means to who waits for that."""
    return TABLE[wait].get(code // 100, Meaning.NONSENSE)
