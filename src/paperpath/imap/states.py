"""The states of an IMAP session and what may come next in each: one table (RFC 9051 §3, §6).

Rule 1: whether a command may come now is decided here and nowhere else.
Rule 2: a command moves the session only when it was carried out; but a SELECT that was not leaves no mailbox
        selected (RFC 9051 §6.3.2).
Rule 3: a verb that a state does not list is answered with that state's BAD, and changes nothing.
`docs/imap-states.md` shows the table as a picture; a test keeps both equal.
"""

from enum import Enum

from paperpath.imap.completion import Completion, bad
from paperpath.imap.verbs import Verb


class State(Enum):
    """Where a session is."""

    GREETED = "greeted"  # not authenticated
    AUTHENTICATED = "authenticated"  # no mailbox is selected
    SELECTED = "selected"
    LOGIN = "login"  # AUTHENTICATE was taken; lines are answers, not commands
    MESSAGE = "message"  # octets are of a message of APPEND
    IDLING = "idling"  # the next line is DONE
    HANDSHAKE = "handshake"  # STARTTLS was taken; what comes is not for us
    COMPRESSING = "compressing"  # COMPRESS was taken; likewise
    CLOSED = "closed"  # nothing is read any more

    __hash__ = object.__hash__  # as for Verb


def _anywhere(state: State) -> dict[Verb, State]:
    return {Verb.CAPABILITY: state, Verb.NOOP: state, Verb.ID: state, Verb.LOGOUT: State.CLOSED}


# RFC 9051 §6.3: what a session may do once somebody has logged in.
_STAYING = (
    Verb.CREATE,
    Verb.DELETE,
    Verb.RENAME,
    Verb.SUBSCRIBE,
    Verb.UNSUBSCRIBE,
    Verb.LIST,
    Verb.LSUB,
    Verb.NAMESPACE,
    Verb.STATUS,
    Verb.GETQUOTA,
    Verb.GETQUOTAROOT,
)


def _inside(state: State) -> dict[Verb, State]:
    moving = {
        Verb.SELECT: State.SELECTED,
        Verb.EXAMINE: State.SELECTED,
        Verb.APPEND: State.MESSAGE,
        Verb.IDLE: State.IDLING,
        Verb.COMPRESS: State.COMPRESSING,
    }
    return _anywhere(state) | dict.fromkeys(_STAYING, state) | moving


# RFC 9051 §6.4: what needs a mailbox.
_WITHIN = (
    Verb.CHECK,
    Verb.EXPUNGE,
    Verb.SEARCH,
    Verb.SORT,
    Verb.THREAD,
    Verb.FETCH,
    Verb.STORE,
    Verb.COPY,
    Verb.MOVE,
)

TABLE: dict[State, dict[Verb, State]] = {
    State.GREETED: _anywhere(State.GREETED)
    | {
        Verb.STARTTLS: State.HANDSHAKE,
        Verb.AUTHENTICATE: State.LOGIN,
        Verb.LOGIN: State.AUTHENTICATED,
    },
    # RFC 5161 §3.1: ENABLE comes before any mailbox is selected.
    State.AUTHENTICATED: _inside(State.AUTHENTICATED) | {Verb.ENABLE: State.AUTHENTICATED},
    State.SELECTED: _inside(State.SELECTED)
    | dict.fromkeys(_WITHIN, State.SELECTED)
    | {Verb.CLOSE: State.AUTHENTICATED, Verb.UNSELECT: State.AUTHENTICATED},
    State.LOGIN: {},
    State.MESSAGE: {},
    State.IDLING: {},
    State.HANDSHAKE: {},
    State.COMPRESSING: {},
    State.CLOSED: {},
}

# Where a command leads that was not carried out; others change nothing.
FAILED: dict[Verb, State] = {Verb.SELECT: State.AUTHENTICATED, Verb.EXAMINE: State.AUTHENTICATED}

_OUT_OF_ORDER = {
    State.GREETED: bad("Log in first"),
    State.AUTHENTICATED: bad("Select a mailbox first"),
    State.SELECTED: bad("Not while a mailbox is selected"),
}
_LOGGED_IN = bad("You are logged in")
_BEFORE_LOGIN = frozenset({Verb.STARTTLS, Verb.AUTHENTICATE, Verb.LOGIN})


def next_state(state: State, verb: Verb) -> State | Completion:
    """Return the state that this verb leads to when it is carried out, or what refuses it now."""
    following = TABLE[state].get(verb)
    if following is not None:
        return following
    return _LOGGED_IN if verb in _BEFORE_LOGIN else _OUT_OF_ORDER[state]
