"""The state table of IMAP, its picture in the documents, and commands in every wrong state."""

from pathlib import Path

from paperpath.imap.completion import Completion, Condition
from paperpath.imap.states import FAILED, TABLE, State, next_state
from paperpath.imap.verbs import Verb

PICTURE = Path(__file__).parents[3] / "docs" / "imap-states.md"
TALKING = (State.GREETED, State.AUTHENTICATED, State.SELECTED)


def test_every_state_in_which_commands_are_read_answers_every_verb():
    for state in State:
        if state not in TALKING:
            assert TABLE[state] == {}
            continue
        for verb in Verb:
            following = next_state(state, verb)
            assert isinstance(following, State) or following.condition is Condition.BAD


def test_every_verb_may_come_in_some_state():
    assert {verb for row in TABLE.values() for verb in row} == set(Verb)


def test_K2_nothing_of_anybody_is_reached_without_a_login():
    reached = {following for verb, following in TABLE[State.GREETED].items() if verb is not Verb.LOGIN}
    assert reached == {State.GREETED, State.CLOSED, State.HANDSHAKE, State.LOGIN}


def test_K9_only_select_leads_to_a_mailbox_and_a_failed_one_away_from_it():
    leading = {verb for verb, following in TABLE[State.AUTHENTICATED].items() if following is State.SELECTED}
    assert leading == {Verb.SELECT, Verb.EXAMINE} == FAILED.keys()
    assert set(FAILED.values()) == {State.AUTHENTICATED}


def draw_table() -> str:
    """Draw the table as the document shows it: a row for each verb, for there are many."""
    rows = ["| command | " + " | ".join(state.value for state in TALKING) + " |", "|---" * 4 + "|"]
    for verb in Verb:
        cells = [next_state(state, verb) for state in TALKING]
        shown = [cell.condition.value if isinstance(cell, Completion) else cell.value for cell in cells]
        rows.append(f"| **{verb.value}** | " + " | ".join(shown) + " |")
    return "\n".join(rows)


def test_the_document_shows_the_table_as_it_is():
    assert draw_table() in PICTURE.read_text(encoding="utf-8")
