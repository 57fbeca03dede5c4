"""The states of an SMTP server session and what may come next in each: one table (RFC 5321 §3, §4.1.4).

Rule 1: whether a command may come now is decided here and nowhere else.
Rule 2: a command moves the session only when its reply was positive; a refused one leaves the state alone.
Rule 3: a verb that a state does not list is answered with that state's reply for it, and changes nothing.
`docs/smtp-states.md` shows the table as a picture; a test keeps both equal.
"""

from dataclasses import dataclass
from enum import Enum

from paperpath.mail.reply import Reply
from paperpath.smtp import replies
from paperpath.smtp.grammar import Verb


class State(Enum):
    """Where a session is."""

    CONNECTED = "connected"  # greeted, not introduced
    READY = "ready"  # introduced, no transaction
    SENDER = "sender"  # a sender was taken
    RECIPIENTS = "recipients"  # at least one recipient was taken
    CONTENT = "content"  # 354 was given; octets are content, not commands
    CHUNKS = "chunks"  # a chunk was taken, and was not the last
    LOGIN = "login"  # AUTH was taken; lines are answers, not commands
    HANDSHAKE = "handshake"  # STARTTLS was taken; what comes is not for us
    CLOSED = "closed"  # nothing is read any more

    __hash__ = object.__hash__  # as for Verb


# RFC 5321 §4.1.4: these may come before the introduction, and change nothing.
_ANYWHERE = (Verb.NOOP, Verb.VRFY, Verb.HELP)


def _row(state: State, moves: dict[Verb, State]) -> dict[Verb, State]:
    always = {Verb.STARTTLS: State.HANDSHAKE, Verb.QUIT: State.CLOSED}
    return dict.fromkeys(_ANYWHERE, state) | always | moves


@dataclass(frozen=True, slots=True)
class Gate:
    """What all but some verbs are answered with until a session has come further."""

    open_for: frozenset[Verb]
    refusal: Reply


_ALWAYS_OPEN = frozenset({Verb.EHLO, Verb.HELO, Verb.NOOP, Verb.RSET, Verb.STARTTLS, Verb.QUIT})
BEFORE_TLS = Gate(_ALWAYS_OPEN, replies.R530_TLS_FIRST)  # RFC 3207 §4
BEFORE_LOGIN = Gate(_ALWAYS_OPEN | {Verb.AUTH}, replies.R530_LOGIN_FIRST)  # RFC 4954 §6

_HELLO = {Verb.HELO: State.READY, Verb.EHLO: State.READY}

TABLE: dict[State, dict[Verb, State]] = {
    State.CONNECTED: _row(State.CONNECTED, _HELLO | {Verb.RSET: State.CONNECTED}),
    State.READY: _row(
        State.READY, _HELLO | {Verb.RSET: State.READY, Verb.MAIL: State.SENDER, Verb.AUTH: State.LOGIN}
    ),
    State.SENDER: _row(State.SENDER, _HELLO | {Verb.RSET: State.READY, Verb.RCPT: State.RECIPIENTS}),
    State.RECIPIENTS: _row(
        State.RECIPIENTS,
        _HELLO
        | {Verb.RSET: State.READY, Verb.RCPT: State.RECIPIENTS}
        | {Verb.DATA: State.CONTENT, Verb.BDAT: State.CHUNKS},
    ),
    State.CHUNKS: _row(State.CHUNKS, _HELLO | {Verb.RSET: State.READY, Verb.BDAT: State.CHUNKS}),
    State.CONTENT: {},
    State.LOGIN: {},
    State.HANDSHAKE: {},
    State.CLOSED: {},
}

_OUT_OF_ORDER: dict[tuple[State, Verb], Reply] = {
    (State.CONNECTED, Verb.AUTH): replies.R503_HELLO_FIRST,
    (State.CONNECTED, Verb.MAIL): replies.R503_HELLO_FIRST,
    (State.CONNECTED, Verb.RCPT): replies.R503_HELLO_FIRST,
    (State.CONNECTED, Verb.DATA): replies.R503_HELLO_FIRST,
    (State.CONNECTED, Verb.BDAT): replies.R503_HELLO_FIRST,
    (State.READY, Verb.RCPT): replies.R503_MAIL_FIRST,
    (State.READY, Verb.DATA): replies.R503_MAIL_FIRST,
    (State.READY, Verb.BDAT): replies.R503_MAIL_FIRST,
    (State.SENDER, Verb.AUTH): replies.R503_NO_LOGIN_NOW,
    (State.SENDER, Verb.MAIL): replies.R503_ONE_MAIL,
    (State.SENDER, Verb.DATA): replies.R503_RECIPIENT_FIRST,
    (State.SENDER, Verb.BDAT): replies.R503_RECIPIENT_FIRST,
    (State.RECIPIENTS, Verb.AUTH): replies.R503_NO_LOGIN_NOW,
    (State.RECIPIENTS, Verb.MAIL): replies.R503_ONE_MAIL,
    (State.CHUNKS, Verb.AUTH): replies.R503_NO_LOGIN_NOW,
    (State.CHUNKS, Verb.MAIL): replies.R503_ONE_MAIL,
    (State.CHUNKS, Verb.RCPT): replies.R503_LAST_CHUNK_FIRST,
    (State.CHUNKS, Verb.DATA): replies.R503_LAST_CHUNK_FIRST,
}


def next_state(state: State, verb: Verb) -> State | Reply:
    """Return the state that a positive reply to this verb leads to, or the reply that refuses it now."""
    following = TABLE[state].get(verb)
    return _OUT_OF_ORDER[state, verb] if following is None else following
