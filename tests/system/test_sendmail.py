"""sendmail as programs call it, talking to servers that take, refuse, stall and die (J-1 to J-14)."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from paperpath.testing.sink import sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import find_free_port, program_path, wait_until
from tests.support.sendmail import FORBIDDEN, LETTER, Caller, catches, scripted

pytestmark = pytest.mark.slow


def test_J13_a_message_is_handed_over_once(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        called = Caller(tmp_path, sink.port).call("u@x.example", "v@x.example")
    assert (called.code, called.output, called.errors) == (0, b"", "")
    (taken,) = sink.taken
    assert [recipient.address for recipient in taken.recipients] == ["u@x.example", "v@x.example"]
    assert taken.content == LETTER.replace(b"\n", b"\r\n")
    assert taken.sender.endswith("@here.example")
    assert taken.hello == "mx.here.example"
    assert sink.violations == []


@pytest.mark.parametrize(
    ("words", "body"),
    [((), b"a\r\n"), (("-i",), b"a\r\n.\r\n..\r\nb\r\n"), (("-oi",), b"a\r\n.\r\n..\r\nb\r\n")],
)
def test_J2_a_lone_dot_ends_the_message_unless_it_is_data(
    tmp_path: Path, words: tuple[str, ...], body: bytes
) -> None:
    with sink_in_thread() as sink:
        called = Caller(tmp_path, sink.port).call(*words, "u@x.example", letter=b"S: x\n\na\n.\n..\nb\n")
    assert called.code == 0
    assert sink.taken[0].content == b"S: x\r\n\r\n" + body


@pytest.mark.parametrize("letter", [b"S: x\n\na\n", b"S: x\r\n\r\na\r\n", b"S: x\n\na"])
def test_J3_line_ends_become_those_of_mail(tmp_path: Path, letter: bytes) -> None:
    with sink_in_thread() as sink:
        assert Caller(tmp_path, sink.port).call("u@x.example", letter=letter).code == 0
    assert sink.taken[0].content == b"S: x\r\n\r\na\r\n"


def test_J3_a_bare_cr_is_refused_and_nothing_sent(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        called = Caller(tmp_path, sink.port).call("u@x.example", letter=b"S: x\n\na\rb\n")
    assert (called.code, sink.books.summarise().connections) == (65, 0)
    assert "CR" in called.errors


def test_J4_the_header_says_who_gets_it_and_not_who_was_blind(tmp_path: Path) -> None:
    letter = (
        b"To: A <a@x.example>,\n b@x.example\nCc: =?utf-8?q?=C3=BC?= <c@x.example>\nBcc: d@x.example\n\nHi\n"
    )
    with sink_in_thread() as sink:
        assert Caller(tmp_path, sink.port).call("-t", "e@x.example", letter=letter).code == 0
    (taken,) = sink.taken
    assert sorted(recipient.address[0] for recipient in taken.recipients) == list("abcde")
    assert b"d@x.example" not in taken.content


def test_J4_without_recipients_nothing_is_sent(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        caller = Caller(tmp_path, sink.port)
        assert caller.call("-t", letter=b"To: undisclosed-recipients:;\n\nHi\n").code == 64
        assert caller.call().code == 64
    assert sink.books.summarise().connections == 0


def test_J5_J14_recipients_may_look_like_options_and_commands(tmp_path: Path) -> None:
    odd = ["-odd@x.example", "|/bin/sh@x.example", "`reboot`@x.example", '"$(id) ; rm"@x.example']
    with sink_in_thread() as sink:
        assert Caller(tmp_path, sink.port).call("-ti", "-f", "a@b.example", "--", *odd).code == 0
    assert [recipient.address for recipient in sink.taken[0].recipients] == odd
    assert sink.taken[0].sender == "a@b.example"


@pytest.mark.parametrize("option", ["-f", "--", "-F", "-V"])
def test_J14_no_command_can_be_smuggled_in(tmp_path: Path, option: str) -> None:
    with sink_in_thread() as sink:
        called = Caller(tmp_path, sink.port).call(
            option, "a@b.example>\r\nRCPT TO:<x@x.example", "u@x.example"
        )
    assert called.code == 65
    assert sink.books.summarise().connections == 0


def test_J14_nor_by_the_environment(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        called = Caller(tmp_path, sink.port).call(
            "u@x.example", more={"NAME": "a\r\nBcc: evil@x.example\n\nb"}
        )
    assert called.code == 0
    assert b"\nBcc" not in sink.taken[0].content


@pytest.mark.parametrize("environment", [{}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}])
def test_J6_sender_and_name_in_any_locale(tmp_path: Path, environment: dict[str, str]) -> None:
    with sink_in_thread() as sink:
        caller = Caller(tmp_path, sink.port)
        called = caller.call("-F", 'Ünï "X"'.encode(), "-f", "joe@b.example", "u@x.example", more=environment)
    assert called.code == 0, called.errors
    assert sink.taken[0].sender == "joe@b.example"
    assert b"\r\nFrom: =?utf-8?q?=C3=9Cn=C3=AF_=22X=22?= <joe@b.example>\r\n" in sink.taken[0].content


@pytest.mark.parametrize("words", [("-f", ""), ("-f", "<>"), ("-r", "")])
def test_J6_the_null_sender(tmp_path: Path, words: tuple[str, ...]) -> None:
    with sink_in_thread() as sink:
        assert Caller(tmp_path, sink.port).call(*words, "u@x.example").code == 0
    assert sink.taken[0].sender == ""


PARAMETERS = ("-N", "failure,DELAY", "-R", "hdrs", "-V", "a+b", "-B", "8bitmime")


def test_J7_the_server_sees_the_parameters(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        assert Caller(tmp_path, sink.port).call(*PARAMETERS, "u@x.example").code == 0
    (taken,) = sink.taken
    assert {"RET=HDRS", "ENVID=a+2Bb", "BODY=8BITMIME"} <= set(taken.parameters)
    assert taken.recipients[0].parameters == ("NOTIFY=FAILURE,DELAY",)


def test_J7_to_a_server_that_knows_none_they_are_not_said(tmp_path: Path) -> None:
    with sink_in_thread(SinkOptions(dsn=False, eight_bit=False)) as sink:
        assert Caller(tmp_path, sink.port).call(*PARAMETERS, "u@x.example").code == 0
    assert sink.taken[0].recipients[0].parameters == ()
    assert sink.violations == []


def test_J7_smtputf8_is_said_where_it_is_needed(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        caller = Caller(tmp_path, sink.port)
        assert caller.call("-U", "u@x.example", letter="Subject: ü\n\nHi\n".encode()).code == 0
        assert caller.call("-U", "u@x.example").code == 0
        assert caller.call("jörg@x.example".encode()).code == 0
    assert ["SMTPUTF8" in taken.parameters for taken in sink.taken] == [True, False, True]


@pytest.mark.parametrize(
    ("words", "letter"),
    [
        (("-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"), b"To: u@x.example\n\nHi\n"),
        (("-t", "-i"), b"To: u@x.example\n\nHi\n"),
        (("-i", "u@x.example"), LETTER),
        (("-oi", "--", "u@x.example"), LETTER),
        (("-t",), b"To: u@x.example\n\nHi\n"),
    ],
)
def test_J8_callers_that_there_are(tmp_path: Path, words: tuple[str, ...], letter: bytes) -> None:
    with sink_in_thread() as sink:
        called = Caller(tmp_path, sink.port).call(*words, letter=letter)
    assert (called.code, called.errors) == (0, "")
    assert [recipient.address for recipient in sink.taken[0].recipients] == ["u@x.example"]


def test_J1_a_server_that_is_away_costs_nobody_his_letter(tmp_path: Path) -> None:
    caller = Caller(tmp_path, find_free_port())
    called = caller.call("-f", "me@b.example", "u@x.example")
    assert called.code == 75
    assert "smtpsd takes no mail now" in called.errors
    assert f"the message is kept in {caller.dead_letter}" in called.errors
    assert b"X-Envelope-To: u@x.example\n" + LETTER in caller.dead_letter.read_bytes()


def test_J1_a_socket_that_is_not_there_is_a_server_that_is_away(tmp_path: Path) -> None:
    caller = Caller(tmp_path)
    called = caller.call("u@x.example")
    assert called.code == 75
    assert "submission.sock: No such file" in called.errors
    assert caller.dead_letter.exists()


def test_J1_who_may_not_drop_his_letter_either_is_told_to_come_again(tmp_path: Path) -> None:
    caller = Caller(tmp_path, more='[sendmail]\nwhen_down = "drop"\n')
    called = caller.call("u@x.example")
    assert called.code == 75
    assert "smtpsd takes no mail now" in called.errors
    assert "you may not leave mail" in called.errors
    assert caller.dead_letter.exists()


@pytest.mark.parametrize("greeting", ["421 4.3.2 Ending", "450 4.7.0 Later", ""])
def test_J1_a_server_that_does_not_want_to_talk_now_is_away(tmp_path: Path, greeting: str) -> None:
    with scripted({"": greeting}) as script:
        caller = Caller(tmp_path, script.port)
        assert caller.call("u@x.example").code == 75
    assert caller.dead_letter.exists()


@pytest.mark.parametrize("option", ["-oeq", "-eq"])
def test_J11_who_is_quiet_says_it_by_the_code_alone(tmp_path: Path, option: str) -> None:
    caller = Caller(tmp_path, find_free_port())
    called = caller.call(option, "u@x.example")
    assert (called.code, called.output, called.errors) == (75, b"", "")
    assert not caller.dead_letter.exists()


@pytest.mark.parametrize("option", ["-oem", "-oep", "-oee", "-oew", "-i"])
def test_J11_a_refused_recipient_is_named_and_the_others_get_it(tmp_path: Path, option: str) -> None:
    with sink_in_thread() as sink:
        caller = Caller(tmp_path, sink.port)
        called = caller.call(option, "u@x.example", "permfail@x.example", "v@x.example")
    assert called.code == 69
    assert "sendmail: permfail@x.example: 550 5.0.0 As told" in called.errors
    assert "u@x.example" not in called.errors
    assert [recipient.address[0] for recipient in sink.taken[0].recipients] == ["u", "v"]
    kept = caller.dead_letter.read_text()
    assert "X-Envelope-To: permfail@x.example\n" in kept
    assert "X-Envelope-To: u@x.example\n" not in kept


@pytest.mark.parametrize(
    ("verb", "reply", "code"),
    [
        ("RCPT", "550 5.1.1 Nobody", 67),
        ("RCPT", "550 5.1.2 No such host", 68),
        ("RCPT", "501 5.1.3 That is none", 65),
        ("RCPT", "554 5.0.0 No", 69),
        ("RCPT", "450 4.2.0 Later", 75),
        ("MAIL", "530 5.7.0 Log in", 77),
        ("MAIL", "550 5.7.1 Not as him", 77),
        ("MAIL", "452 4.3.1 Full", 75),
        ("DATA", "554 5.5.1 No recipients", 76),
        ("DATA", "250 2.0.0 What?", 76),
        (".", "554 5.6.0 Two From fields", 65),
        (".", "552 5.3.4 Too big", 69),
        (".", "451 4.3.0 Later", 75),
        (".", "421 4.3.2 Ending", 75),
        (".", "", 75),
        ("MAIL", "", 75),
        ("MAIL", "nonsense", 76),
        ("EHLO", "garbage without end", 75),
        ("", "554 5.7.1 Not for you", 69),
        ("", "554 No", 69),
    ],
)
def test_J12_the_exit_code_says_what_the_server_said(
    tmp_path: Path, verb: str, reply: str, code: int
) -> None:
    with scripted({verb: reply}) as script:
        caller = Caller(tmp_path, script.port)
        called = caller.call("u@x.example")
    assert called.code == code, called.errors
    assert called.errors.startswith("sendmail: ")
    assert caller.dead_letter.exists()


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("421-at-content", 75),
        ("disconnect-at-content", 75),
        ("reset-at-dot", 75),
        ("lies-garbage-at-dot", 76),
    ],
)
def test_J12_J13_a_server_that_gives_up_in_the_middle(tmp_path: Path, word: str, code: int) -> None:
    letter = b"S: x\n\n" + b"0123456789\n" * 100_000
    with sink_in_thread() as sink:
        called = Caller(tmp_path, sink.port).call(f"{word}@x.example", letter=letter)
    assert (called.code, len(sink.taken)) == (code, 0), called.errors


def test_J13_without_the_reply_to_the_end_it_is_no_success(tmp_path: Path) -> None:
    with scripted({".": ""}) as script:
        called = Caller(tmp_path, script.port).call("u@x.example")
    assert called.code == 75
    assert "may have been taken" in called.errors
    assert script.contents == [b"Subject: x\r\n\r\nHi\r\n"]


def test_J13_input_that_cannot_be_read_is_never_sent(tmp_path: Path) -> None:
    with sink_in_thread() as sink, Path("/proc/self/mem").open("rb") as failing:  # EIO
        done = subprocess.run(
            [program_path("sendmail"), "u@x.example"],
            stdin=failing,
            capture_output=True,
            check=False,
            env=Caller(tmp_path, sink.port).environment,
        )
    assert done.returncode == 74
    assert sink.books.summarise().connections == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_J13_who_is_ended_before_the_end_of_the_input_sends_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    with sink_in_thread() as sink, Caller(tmp_path, sink.port).start("u@x.example") as process:
        assert process.stdin is not None
        process.stdin.write(LETTER)
        process.stdin.flush()
        wait_until(lambda: catches(process.pid, number), "sendmail to catch signals")
        process.send_signal(number)
        _, errors = process.communicate()
    assert process.returncode == 75
    assert errors == f"sendmail: ended by {number.name}\n".encode()
    assert sink.books.summarise().connections == 0


def test_J13_who_is_ended_before_the_reply_says_that_it_may_have_been_taken(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        caller = Caller(tmp_path, sink.port)
        with caller.start("stall-at-dot@x.example") as process:
            assert process.stdin is not None
            process.stdin.write(LETTER)
            process.stdin.close()
            wait_until(lambda: sink.books.summarise().deeds, "the sink to stall")
            process.terminate()
            assert process.stderr is not None
            errors = process.stderr.read().decode()
    assert process.returncode == 75
    assert "ended by SIGTERM; the message may have been taken" in errors
    assert LETTER in caller.dead_letter.read_bytes()


def test_ten_thousand_recipients_get_it_though_the_server_takes_a_thousand_at_once(tmp_path: Path) -> None:
    recipients = [f"r{number}@x.example" for number in range(10_000)]
    with sink_in_thread(SinkOptions(recipients=1000)) as sink:
        called = Caller(tmp_path, sink.port).call(*recipients)
    assert (called.code, called.errors) == (0, "")
    taken = [recipient.address for message in sink.taken for recipient in message.recipients]
    assert taken == recipients


def test_ten_thousand_refusals_are_told_in_a_few_lines(tmp_path: Path) -> None:
    recipients = ", ".join(f"permfail.{number}@x.example" for number in range(10_000)).encode()
    with sink_in_thread(SinkOptions(recipients=20_000)) as sink:
        called = Caller(tmp_path, sink.port).call("-t", letter=b"To: " + recipients + b"\n\nHi\n")
    assert called.code == 69
    assert "and 9995 more: 550" in called.errors
    assert len(called.errors.splitlines()) == 2


def test_a_long_message_arrives_as_it_is(tmp_path: Path) -> None:
    letter = b"Subject: x\n\n" + b".0123456789" * 6 + b"\n" + b"0123456789\n" * 500_000
    with sink_in_thread() as sink:
        assert Caller(tmp_path, sink.port).call("-i", "u@x.example", letter=letter).code == 0
    assert sink.taken[0].content == letter.replace(b"\n", b"\r\n")


def test_a_server_that_takes_less_than_that_refuses_it_before(tmp_path: Path) -> None:
    with sink_in_thread(SinkOptions(size=1000)) as sink:
        called = Caller(tmp_path, sink.port).call("u@x.example", letter=b"S: x\n\n" + b"x\n" * 1000)
    assert (called.code, sink.books.summarise().transactions) == (69, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_J12_without_room_it_is_for_later_and_nothing_is_sent(tmp_path: Path) -> None:
    room = tmp_path / "room"
    room.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "paperpath-test", str(room)], check=True)
    try:
        with sink_in_thread() as sink:
            caller = Caller(tmp_path, sink.port)
            called = caller.call(
                "u@x.example", letter=b"S: x\n\n" + b"x\n" * 3_000_000, more={"TMPDIR": str(room)}
            )
            assert (called.code, sink.books.summarise().connections) == (75, 0), called.errors
            assert "No space left" in called.errors
        called = Caller(tmp_path, find_free_port()).call(
            "u@x.example", letter=b"S: x\n\n" + b"x\n" * 1_000_000, more={"HOME": str(room)}
        )
        assert called.code == 75
        assert "the message is lost, for it could not be kept either" in called.errors
        assert (room / "dead.letter").read_bytes() == b""
    finally:
        subprocess.run(["umount", str(room)], check=True)


def call_with(
    caller: Caller, redirection: str, words: str = "u@x.example"
) -> subprocess.CompletedProcess[bytes]:
    """Call sendmail from a shell that closes or breaks standard files."""
    command = f"{program_path('sendmail')} {words} {redirection}"
    return subprocess.run(
        ["/bin/sh", "-c", command], input=LETTER, capture_output=True, check=False, env=caller.environment
    )


def test_J12_without_input_there_is_no_empty_message(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        done = call_with(Caller(tmp_path, sink.port), "<&-")
    assert (done.returncode, sink.books.summarise().connections) == (66, 0), done.stderr
    assert b"cannot be read" in done.stderr


def test_J9_without_input_no_socket_is_taken_for_it(tmp_path: Path) -> None:
    with sink_in_thread() as sink:
        done = call_with(Caller(tmp_path, sink.port), "<&-", "-bs")
    assert (done.returncode, done.stderr) == (
        74,
        b"sendmail: the input cannot be read: Bad file descriptor\n",
    )


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_output_that_is_closed_or_full_changes_nothing(tmp_path: Path, redirection: str) -> None:
    with sink_in_thread() as sink:
        assert call_with(Caller(tmp_path, sink.port), redirection).returncode == 0
        assert len(sink.taken) == 1
    assert call_with(Caller(tmp_path, find_free_port()), redirection).returncode == 75


def test_nobody_who_hears_the_complaint_changes_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [program_path("sendmail"), "u@x.example"],
        input=LETTER,
        stderr=writing,
        check=False,
        env=Caller(tmp_path, find_free_port()).environment,
    )
    os.close(writing)
    assert done.returncode == 75


def test_J12_a_configuration_that_is_wrong_keeps_the_message(tmp_path: Path) -> None:
    caller = Caller(tmp_path)
    caller.file.write_text("hostname = 5\n")
    called = caller.call("u@x.example")
    assert called.code == 78
    assert f"{caller.file}: post_office.postmaster: it is missing" in called.errors
    assert caller.dead_letter.exists()


def test_J10_what_is_not_done_here_is_refused(tmp_path: Path) -> None:
    caller = Caller(tmp_path)
    for word in ("-bd", "-bD", "-bl", "-bt", "-bh", "-bH", "-bP", "-ba", "-bC", "-Z"):
        called = caller.call(word, letter=b"")
        assert called.code == 64, word
        assert called.errors.startswith("sendmail: ")
    assert caller.call("-bv", "u@x.example").code == 69


@pytest.mark.parametrize("word", ["-q", "-q30m", "-qf", "-qIid", "-qRdom", "-qSaddr"])
def test_X13_a_flush_is_asked_for_and_never_fails(tmp_path: Path, word: str) -> None:
    called = Caller(tmp_path).call(word, letter=b"")
    assert (called.code, called.errors) == (0, "")
    assert not (tmp_path / "data").exists()


def test_J9_a_dialogue_over_tcp_stays_in_the_clear(tmp_path: Path) -> None:
    with sink_in_thread(SinkOptions(tls=True)) as sink:
        called = Caller(tmp_path, sink.port).call("-bs", letter=b"EHLO x\nSTARTTLS\nNOOP\nQUIT\n")
    assert called.code == 0
    codes = [line[:3] for line in called.output.split(b"\r\n") if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"454", b"250", b"221"]


@pytest.mark.parametrize(
    ("replies", "code"),
    [
        ({"": "554 No"}, 69),
        ({"": ""}, 75),
        ({"NOOP": ""}, 75),
        ({"NOOP": "421 Ending"}, 75),
        ({"NOOP": "?"}, 76),
    ],
)
def test_J9_a_dialogue_that_the_server_ends_is_no_success(
    tmp_path: Path, replies: dict[str, str], code: int
) -> None:
    with scripted(replies) as script:
        called = Caller(tmp_path, script.port).call("-bs", letter=b"NOOP\nQUIT\n")
    assert called.code == code, called
    assert called.errors.startswith("sendmail: ")


def test_it_imports_nothing_that_takes_long(tmp_path: Path) -> None:
    """Architecture, §3 rule 3."""
    code = """
import sys
from paperpath.commands.sendmail import main
sys.argv = ["sendmail", "-t", "-F", "Joe"]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end
print(*sys.modules)
"""
    with sink_in_thread() as sink:
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=b"To: u@x.example\n\nHi\n",
            capture_output=True,
            check=True,
            env=Caller(tmp_path, sink.port).environment,
        )
    modules = {name.partition(".")[0] for name in done.stdout.decode().split()}
    assert len(sink.taken) == 1
    assert modules.isdisjoint(FORBIDDEN)
    assert "paperpath.maildrop" not in done.stdout.decode()


def test_it_takes_little_memory(tmp_path: Path) -> None:
    """A program begins with the memory of who starts it: so that is a small one here."""
    code = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
    letter = b"S: x\n\n" + b"0123456789012345678901234567890123456789\n" * 100
    with sink_in_thread() as sink:
        done = subprocess.run(
            [sys.executable, "-c", code, program_path("sendmail"), "-F", "Joe", "u@x.example"],
            input=letter,
            capture_output=True,
            check=True,
            env=Caller(tmp_path, sink.port).environment,
        )
    assert len(sink.taken) == 1
    assert int(done.stdout) < 40 * 1024  # KiB
