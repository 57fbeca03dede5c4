"""Every statement of the hot path goes by an index: what it costs does not depend on how much waits.

Whatever the engine's modules keep as a statement is looked at, so that a new one cannot be forgotten.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from paperpath.maildrop.sqlite import (
    arrivals,
    claiming,
    closing,
    deeds,
    destinations,
    reading,
    settling,
    sorting,
    units,
    warning,
    workers,
)
from paperpath.maildrop.sqlite.database import create_database, open_database

MODULES = (
    arrivals,
    claiming,
    closing,
    deeds,
    destinations,
    reading,
    settling,
    sorting,
    units,
    warning,
    workers,
)
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
# Tables of one row, of the living workers, what is read from JSON, and what another step found already.
SMALL = (
    "SCAN meta",
    "SCAN worker",
    "SCAN json_each",
    "SCAN waiting",
    "SCAN CONSTANT ROW",
    "SCAN (subquery",
    "SCAN looked_at",
)
# A batch that is put back into its order.
SORTS_ITS_BATCH = {"reading._READ_UNSORTED", "reading._READ_CLAIMED"}
# What an operator asks, and only he.
MAY_SCAN = {"reading._FIND", "reading._SUMMARIZE", "reading._FIND_MESSAGE", "reading.READ_BOOKS"}
# The foreign key would scan, if anything violated it so far in the transaction; that never happens.
MAY_SCAN |= {"destinations._MAKE"}
# It reads no more of its index than it is asked for.
MAY_SCAN |= {"reading._FIND_UNSORTED"}
MAY_SCAN |= {"reading._COUNT_SOME"}
# Only after that one has found few recipients.
MAY_SCAN |= {"destinations.FIND_UNNEEDED", "reading.FIND_UNNEEDED", "destinations._FORGET"}
INDEXES = {
    "sorting._FIND_UNSORTED": "USING INTEGER PRIMARY KEY",
    "sorting._FIND_KEYS": "recipient_by_message",
    "sorting._REOPEN_STALE": "recipient_by_epoch",
    "reading._FIND_UNSORTED": "recipient_unsorted",
    "reading._FIND_STALE": "recipient_by_epoch",
    "reading._FIND_FILES": "message_in_file",
    "claiming._FIND_DESTINATIONS": "recipient_ready (transport=? AND destination_id=? AND due_us<?)",
    "claiming._FIND_OVERDUE": "recipient_ready (transport=? AND destination_id=?)",
    "units._FIND_DUE": "recipient_ready (transport=? AND destination_id=? AND due_us<?)",
    "units._FIND_DUE_TOO_LATE": "recipient_ready (transport=? AND destination_id=? AND due_us>?)",
    "units._FIND_ALIKE": "recipient_by_unit (message_id=? AND destination_id=?)",
    "reading._FIND_LATE": "USING INTEGER PRIMARY KEY (rowid>?)",
    "reading._BROWSE": "recipient_by_message",
    "reading._BROWSE_OWN": "message_by_account (client_account=? AND rowid>?)",
    "reading._READ_SUSPENSIONS": "destination_suspended",
    "workers._RELEASE": "recipient_claimed",
    "arrivals._HAS_FILE": "message_in_file",
}


def statements() -> Iterator[tuple[str, str]]:
    for module in MODULES:
        for name, value in vars(module).items():
            texts = value if isinstance(value, tuple) else (value,)
            for text in texts:
                if name.isupper() and isinstance(text, str) and text.split()[0] in VERBS:
                    yield f"{module.__name__.rpartition('.')[2]}.{name}", text


def plan(connection: apsw.Connection, statement: str) -> list[str]:
    names = set(re.findall(r":(\w+)", statement))
    numbered = [int(number) for number in re.findall(r"\?(\d)", statement)]
    bindings = dict.fromkeys(names) if names else (None,) * (max(numbered, default=0) or statement.count("?"))
    return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)]


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    create_database(tmp_path)
    connection = open_database(tmp_path)
    connection.create_scalar_function("domain_key_of", lambda *_: "", 1)
    yield connection
    connection.close()


@pytest.mark.parametrize(("name", "statement"), list(statements()))
def test_no_hot_statement_scans_or_sorts(connection: apsw.Connection, name: str, statement: str) -> None:
    steps = plan(connection, statement)
    assert name in MAY_SCAN or not [
        step for step in steps if step.startswith("SCAN") and not step.startswith(SMALL)
    ], steps
    sorts = [step for step in steps if "TEMP B-TREE" in step]
    assert not sorts or name in SORTS_ITS_BATCH | {"reading._SUMMARIZE"}, steps


@pytest.mark.parametrize("name", INDEXES)
def test_each_question_of_the_hot_path_has_its_index(connection: apsw.Connection, name: str) -> None:
    steps = plan(connection, dict(statements())[name])
    assert any(INDEXES[name] in step for step in steps), steps


def test_the_statements_are_all_looked_at() -> None:
    assert len(dict(statements())) > 40
