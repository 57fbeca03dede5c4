"""Which commands there are, and which may come: by what is carried out, by the state, by encryption."""

import pytest

from paperpath.imap.assembly import UNKNOWN
from paperpath.imap.entrance import Entrance
from paperpath.imap.states import State
from paperpath.imap.verbs import Verb
from tests.support.imap_core import BARE, SETTINGS

# The commands of RFC 3501; all others come with an extension.
CORE = {
    "CAPABILITY", "NOOP", "LOGOUT", "STARTTLS", "AUTHENTICATE", "LOGIN", "SELECT", "EXAMINE", "CREATE",
    "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE", "LIST", "LSUB", "STATUS", "APPEND", "CHECK", "CLOSE",
    "EXPUNGE", "SEARCH", "FETCH", "STORE", "COPY",
}  # fmt: skip


@pytest.mark.parametrize("state", [State.GREETED, State.AUTHENTICATED, State.SELECTED])
def test_K22_without_extensions_there_are_the_commands_of_rfc_3501_and_no_others(state):
    entrance = Entrance(BARE, encrypted=True)
    known = {verb.value for verb in Verb if entrance.judge(verb, state) is not UNKNOWN}
    assert known == CORE


def test_K1_with_all_extensions_all_commands_are_known():
    entrance = Entrance(SETTINGS, encrypted=True)
    assert all(entrance.judge(verb, State.SELECTED) is not UNKNOWN for verb in Verb)


def test_K2_so_many_failed_logins_are_enough():
    entrance = Entrance(SETTINGS, encrypted=True)
    assert [entrance.fail() for _ in range(3)] == [False, False, True]
