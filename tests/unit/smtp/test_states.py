"""The state table (A-8 to A-11), and its picture in the documents."""

from pathlib import Path

from paperpath.mail.reply import Reply
from paperpath.smtp.grammar import Verb
from paperpath.smtp.states import TABLE, State, next_state

PICTURE = Path(__file__).parents[3] / "docs" / "smtp-states.md"


def test_every_state_answers_every_verb() -> None:
    for state in State:
        if state in {State.CONTENT, State.LOGIN, State.HANDSHAKE, State.CLOSED}:
            assert TABLE[state] == {}
            continue
        for verb in Verb:
            following = next_state(state, verb)
            assert isinstance(following, State) or following.code == 503


def test_A58_no_state_without_a_recipient_leads_to_content() -> None:
    leading = {state for state, row in TABLE.items() if State.CONTENT in row.values()}
    assert leading == {State.RECIPIENTS}
    leading = {state for state, row in TABLE.items() if State.CHUNKS in row.values()}
    assert leading == {State.RECIPIENTS, State.CHUNKS}


def test_A8_A11_what_ends_a_transaction_leaves_nothing_of_it() -> None:
    for state in (State.SENDER, State.RECIPIENTS, State.CHUNKS):
        for verb in (Verb.RSET, Verb.EHLO, Verb.HELO):
            assert next_state(state, verb) is State.READY


def draw_table() -> str:
    """Draw the table as the document shows it."""
    rows = ["| state | " + " | ".join(verb.name for verb in Verb) + " |", "|---" * (len(Verb) + 1) + "|"]
    for state in State:
        if TABLE[state]:
            cells = [next_state(state, verb) for verb in Verb]
            shown = [str(cell.code) if isinstance(cell, Reply) else cell.value for cell in cells]
            rows.append(f"| **{state.value}** | " + " | ".join(shown) + " |")
    return "\n".join(rows)


def test_the_document_shows_the_table_as_it_is() -> None:
    assert draw_table() in PICTURE.read_text(encoding="utf-8")
