"""The listing of mailq, its options, and how quickly it is there; what it asks is in tests/system (J-15)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.commands import mailq, newaliases
from paperpath.commands.exits import Exit
from paperpath.commands.mailq_rendering import describe_total, to_lines, to_object
from paperpath.maildrop.values import State
from paperpath.service.asking import Object

ENTRY: Object = {
    "queue_id": "0DCNQ5R6Y2G01",
    "arrived_us": 1_763_800_000_000_000,
    "size": 1042,
    "sender": "joe@here.example",
    "recipient": "ann@far.example",
    "state": "ready",
    "reason": "",
}
HEAVY = {"asyncio", "pydantic", "rich", "click", "uvloop", "apsw", "msgspec", "cryptography"}
TEXT = st.text(max_size=50)
ENTRIES = st.fixed_dictionaries(
    {
        "queue_id": TEXT,
        "arrived_us": st.integers(-(2**63), 2**63 - 1),
        "size": st.integers(0, 2**40),
        "sender": TEXT,
        "recipient": TEXT,
        "state": st.sampled_from([state.value for state in State if state is not State.SETTLED]),
        "reason": TEXT,
    }
)


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def lines(*changes: Object) -> list[str]:
    return list(to_lines([{**ENTRY, **change} for change in changes]))


@pytest.mark.usefixtures("utc")
def test_J15_a_message_is_listed_as_scripts_know_it() -> None:
    assert lines(
        {"reason": "452 4.2.2 full"}, {"recipient": "b@far.example", "reason": "452 4.2.2 full"}
    ) == [
        "0DCNQ5R6Y2G01         1042 Sat Nov 22 08:26:40 joe@here.example",
        "(452 4.2.2 full)",
        "                                               ann@far.example",
        "                                               b@far.example",
        "",
    ]


@pytest.mark.parametrize(
    ("states", "mark", "queue"),
    [
        (["ready"], "", "deferred"),
        (["ready", "claimed"], "*", "active"),
        (["held", "unsorted"], "", "incoming"),
        (["held", "held"], "!", "hold"),
        (["held", "ready"], "", "deferred"),
    ],
)
def test_J15_a_message_is_where_its_busiest_recipient_is(states: list[str], mark: str, queue: str) -> None:
    waiting = [{**ENTRY, "state": state} for state in states]
    assert next(to_lines(waiting)).split()[0] == f"{ENTRY['queue_id']}{mark}"
    assert to_object(waiting)["queue_name"] == queue


def test_J15_the_null_sender_has_the_name_that_scripts_look_for() -> None:
    assert lines({"sender": ""})[0].endswith(" MAILER-DAEMON")
    assert to_object([{**ENTRY, "sender": ""}])["sender"] == "MAILER-DAEMON"


def test_J15_the_objects_are_those_of_postqueue() -> None:
    assert to_object([{**ENTRY, "reason": "no route"}, {**ENTRY, "recipient": "b@far.example"}]) == {
        "queue_name": "deferred",
        "queue_id": "0DCNQ5R6Y2G01",
        "arrival_time": 1_763_800_000,
        "message_size": 1042,
        "sender": "joe@here.example",
        "recipients": [
            {"address": "ann@far.example", "delay_reason": "no route"},
            {"address": "b@far.example"},
        ],
    }


def test_J15_who_is_shown_by_the_name_of_an_alias_is_shown_once() -> None:
    assert len(to_object([ENTRY, ENTRY])["recipients"]) == 1


def test_J15_the_total_counts_whole_kilobytes() -> None:
    assert [describe_total(*counts) for counts in ((1, 1), (2, 2048))] == [
        "-- 1 Kbytes in 1 Request.",
        "-- 2 Kbytes in 2 Requests.",
    ]


@given(st.lists(ENTRIES, min_size=1, max_size=3))
def test_S6_nothing_leaves_its_line_or_reaches_the_terminal_raw(entries: list[Object]) -> None:
    found = [*to_lines(entries), json.dumps(to_object(entries))]
    assert all(line.isascii() and (line.isprintable() or not line) for line in found)


@pytest.mark.parametrize("command", [mailq, newaliases])
def test_J12_a_wrong_option_ends_with_64(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.run(["--colour"])  # type: ignore[attr-defined]
    assert ended.value.code == Exit.USAGE
    assert "--help says more" in capsys.readouterr().err


@pytest.mark.parametrize("command", [mailq, newaliases])
@pytest.mark.parametrize("text", ["", "hostname = 5\n", "\x1b[2J"])
def test_J12_a_wrong_configuration_ends_with_78(
    command: object, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "\x1b[2J.toml"
    if text:
        file.write_text(text)
    assert command.run(["-C", str(file)]) == Exit.CONFIGURATION  # type: ignore[attr-defined]
    told = capsys.readouterr().err
    assert told.startswith(f"{command.__name__.rpartition('.')[2]}: ")  # type: ignore[attr-defined]
    assert told.removesuffix("\n").isprintable()


def test_J15_newaliases_without_an_aliases_file_says_which_key_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "paperpath.toml"
    file.write_text('hostname = "mx.here.example"\n[post_office]\npostmaster = "me@here.example"\n')
    assert newaliases.run(["-C", str(file)]) == Exit.CONFIGURATION
    assert "post_office.aliases: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, Exit.CONFIGURATION, "cannot be read"),
        ("a: b\nc:\n d,\n|x\n", Exit.BAD_DATA, ":4: "),
        ("a: b\n", Exit.TAKEN, ""),
    ],
)
def test_J15_newaliases_tells_what_is_wrong_with_the_file(
    content: str | None, code: Exit, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "paperpath.toml"
    file.write_text(
        'hostname = "mx.here.example"\n[post_office]\npostmaster = "me@here.example"\naliases = "aliases"\n'
    )
    if content is not None:
        (tmp_path / "aliases").write_text(content)
    assert newaliases.run(["-C", str(file)]) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "code",
    [
        "import paperpath.commands.mailq",
        "from paperpath.commands import sendmail; sendmail.run(['-bp'], {})",
        "from paperpath.commands import sendmail; sendmail.run(['-q'], {'PAPERPATH_CONFIG': '{file}'})",
    ],
)
def test_mailq_and_what_sendmail_asks_import_nothing_heavy(code: str, tmp_path: Path) -> None:
    file = tmp_path / "paperpath.toml"
    file.write_text('hostname = "mx.here.example"\n[post_office]\npostmaster = "me@here.example"\n')
    code = f"import sys; {code.replace('{file}', str(file))}; print(*sys.modules)"
    environment = {**os.environ, "PAPERPATH_CONFIG": str(file)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    modules = {name.partition(".")[0] for name in done.stdout.split()}
    assert "paperpath.service.asking" in done.stdout.split()
    assert not HEAVY & modules
