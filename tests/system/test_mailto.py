"""mailto as people and scripts call it, where none of our programs runs (J-16 to J-20)."""

import os
import pty
import re
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from paperpath.mail.header import find_fields
from tests.support.installation import program_path, wait_until
from tests.support.mailto import TEXT, Writer
from tests.support.sendmail import FORBIDDEN, catches

pytestmark = pytest.mark.slow


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


def take(writer: Writer) -> tuple[list[str], EmailMessage, bytes]:
    """Return the recipients of the only message that was left, the message as Python reads it, its octets."""
    ((envelope, content),) = writer.dropped()
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return [str(recipient.address) for recipient in envelope.recipients], message, content


def test_J16_a_message_is_made_of_arguments_and_text(writer: Writer) -> None:
    called = writer.call("-s", "On paper", "joe", "A <a@x.example>", letter=TEXT, more={"NAME": "Me, Myself"})
    assert (called.code, called.output, called.errors) == (0, b"", "")
    recipients, message, content = take(writer)
    assert recipients == ["joe@here.example", "a@x.example"]
    assert message["To"] == "joe@here.example, A <a@x.example>"
    assert message["Subject"] == "On paper"
    assert re.fullmatch(r'"Me, Myself" <\w+@here\.example>', message["From"])
    assert message["Date"].datetime.tzinfo is not None
    assert message["Message-ID"].endswith("@mx.here.example>")
    assert message["Received"] is None  # whoever takes it from here adds it
    assert content.endswith(b"\r\n\r\nHi\r\n")
    assert not writer.dead_letter.exists()


def test_J17_each_option_at_once(writer: Writer) -> None:
    other = writer.file.rename(writer.home / "other.toml")
    called = writer.call(
        *("-v", "-n", "-i", "-N", "-S", str(other), "-r", "Boss <boss@b.example>"),
        *("-C", "Reply-To: joe", "u@x.example", "-sOdd", "-c", "c@x.example,d", "--", "-odd@x.example"),
        letter=TEXT,
        more={"PAPERPATH_MAILTO": "-b b@x.example -s Usual"},
    )
    assert called.code == 0, called.errors
    assert re.fullmatch(
        f"mailto: left for 5 recipients in {writer.drop}, as message-[0-9a-f]+\n", called.errors
    )
    ((envelope, content),) = writer.dropped()
    assert str(envelope.sender) == "boss@b.example"
    assert [str(recipient.address) for recipient in envelope.recipients] == [
        *("u@x.example", "-odd@x.example", "c@x.example", "d@here.example", "b@x.example")
    ]
    assert content.startswith(
        b"From: Boss <boss@b.example>\r\nTo: u@x.example, -odd@x.example\r\n"
        b"Cc: c@x.example, d@here.example\r\nSubject: Odd\r\nReply-To: joe@here.example\r\n"
    )


@pytest.mark.parametrize("words", [("-f", "<>"), ("-r", "")])
def test_J17_the_null_sender_is_no_author(writer: Writer, words: tuple[str, ...]) -> None:
    assert writer.call(*words, "u", letter=TEXT).code == 0
    ((envelope, content),) = writer.dropped()
    assert envelope.sender is None
    assert find_fields(content, b"from")[0].endswith(b"@here.example")


def test_J17_an_empty_text_is_sent_unless_it_is_not_wanted(writer: Writer) -> None:
    assert writer.call("-E", "-s", "x", "u", letter=b"").code == 0
    assert writer.call("-vE", "u", letter=b"").errors == "mailto: the text is empty, so nothing is sent\n"
    assert writer.dropped() == []
    assert writer.call("-E", "u", letter=b"\n").code == 0
    assert writer.call("u", letter=b"").code == 0
    assert len(writer.dropped()) == 2


def test_J17_the_help_has_an_example(writer: Writer) -> None:
    for word in ("-h", "--help"):
        called = writer.call(word)
        assert (called.code, called.errors) == (0, "")
        assert b"\nExample: mailto " in called.output


def test_J18_an_attachment_that_is_none_sends_nothing(writer: Writer) -> None:
    called = writer.call("-a", "X-Foo: bar", "u", letter=TEXT)
    assert called.code == 66
    assert "-C adds a field" in called.errors
    folder = writer.home / "folder"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    for name in (folder, folder / "fifo", "/dev/zero", "/nowhere"):
        assert writer.call("-a", str(name), "u", letter=TEXT).code == 66, name
    assert writer.dropped() == []


def test_J18_J12_an_attachment_that_cannot_be_read_keeps_the_text(writer: Writer) -> None:
    called = writer.call("-s", "x", "-a", "/proc/self/mem", "u@x.example", letter=TEXT)  # EIO
    assert (called.code, writer.dropped()) == (74, [])
    assert "'/proc/self/mem': cannot be read" in called.errors
    assert f"the message is kept in {writer.dead_letter}, without what is attached" in called.errors
    kept = writer.dead_letter.read_bytes()
    assert b"X-Envelope-To: u@x.example\nTo: u@x.example\nSubject: x\n\nHi\n" in kept


@pytest.mark.parametrize("environment", [{}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0"}])
def test_J19_what_is_not_ascii_arrives_in_any_locale(writer: Writer, environment: dict[str, str]) -> None:
    file = writer.home / 'ü ".txt'
    name = os.fsencode(file)
    octets = bytes(range(256)) * 4096
    Path(os.fsdecode(name)).write_bytes(octets)
    text = ("Grüße\n" + "ö" * 600 + "\n").encode()  # one line is longer than a line may be
    subject = "Ein sehr langer Betreff, in dem auch Ümläute stehen; und noch mehr Wörter, damit er lang wird"
    called = writer.call(
        *("-s", subject.encode(), "-r", "Jörg Ü <j@x.example>".encode(), "-a", name, "u"),
        letter=text,
        more=environment,
    )
    assert called.code == 0, called.errors
    _, message, content = take(writer)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    header = content.partition(b"\r\n\r\n")[0]
    assert header.isascii()
    assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+\?=", header))
    assert message["Subject"] == subject
    assert message["From"] == "Jörg Ü <j@x.example>"
    first, second = message.iter_parts()
    assert first.get_payload(decode=True) == text.replace(b"\n", b"\r\n")
    assert first.get_content_charset() == "utf-8"
    assert second.get_content_disposition() == "attachment"
    assert second.get_filename() == 'ü ".txt'
    assert second.get_payload(decode=True) == octets


def test_J19_an_address_beyond_ascii_takes_smtputf8_and_else_nothing_does(writer: Writer) -> None:
    for address in ("jörg@x.example", "u@bücher.example"):
        assert writer.call("-s", "ü", address.encode(), letter=TEXT).code == 0
    found = {str(envelope.recipients[0].address): envelope.parameters for envelope, _ in writer.dropped()}
    assert {address: parameters.international for address, parameters in found.items()} == {
        "jörg@x.example": True,
        "u@xn--bcher-kva.example": False,
    }


@pytest.mark.parametrize("more", ["", "[canonical]\nencode_8bit = true\n"])
def test_J19_a_text_alone_is_labelled_and_encoded_where_that_is_wanted(tmp_path: Path, more: str) -> None:
    writer = Writer(tmp_path, more=more)
    assert writer.call("u", letter="Grüße\n".encode()).code == 0
    ((envelope, content),) = writer.dropped()
    message = message_from_bytes(content, policy=default)
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    assert message.get_payload(decode=True) == "Grüße\r\n".encode()
    assert (message["Content-Transfer-Encoding"], envelope.parameters.body) == (
        ("quoted-printable", "") if more else ("8bit", "8BITMIME")
    )


def test_J20_blind_recipients_stand_nowhere_in_the_content(writer: Writer) -> None:
    assert writer.call("-b", "x@here.example", "-b", "y@b.example, Z <z@b.example>", letter=TEXT).code == 0
    recipients, _, content = take(writer)
    assert recipients == ["x@here.example", "y@b.example", "z@b.example"]
    assert not any(address in content for address in (b"x@", b"y@", b"z@"))
    assert b"\r\nBcc:\r\n" in content


def test_J20_addresses_are_lists_whose_quotes_hold(writer: Writer) -> None:
    odd = ['"A, B" <a@x.example>, |/bin/sh@x.example', "`reboot`@x.example", '"$(id) ; rm"@x.example']
    assert writer.call("--", "-odd@x.example", *odd, letter=TEXT).code == 0
    assert take(writer)[0] == [
        *(
            "-odd@x.example",
            "a@x.example",
            "|/bin/sh@x.example",
            "`reboot`@x.example",
            '"$(id) ; rm"@x.example',
        )
    ]


@pytest.mark.parametrize(
    "words",
    [("-s", "a\nBcc: y"), ("-C", "X: a\r\nBcc: y"), ("-r", "a@x\n"), ("-c", "a@x\r"), ("a@x\nBcc: y",)],
)
def test_J20_no_field_can_be_smuggled_in(writer: Writer, words: tuple[str, ...]) -> None:
    called = writer.call(*words, "u", letter=TEXT)
    assert (called.code, writer.dropped()) == (65, []), called.errors


def test_J20_a_dot_on_a_pipe_is_data(writer: Writer) -> None:
    assert writer.call("u", letter=b"a\n.\nb\n").code == 0
    assert take(writer)[2].endswith(b"\r\n\r\na\r\n.\r\nb\r\n")


def type_in(writer: Writer, octets: bytes) -> tuple[int, str]:
    """Call mailto on a terminal, and type there once it asks; return how it ended, and what was shown."""
    child, terminal = pty.fork()
    if child == 0:
        with suppress(OSError):
            os.execve(program_path("mailto"), ["mailto", "u"], writer.environment)
        os._exit(127)
    shown = b""
    while b"type the message" not in shown:
        shown += os.read(terminal, 1000)
    wait_until(lambda: catches(child, signal.SIGINT), "mailto to read")
    os.write(terminal, octets)
    with suppress(OSError):  # EIO: the other end is closed
        while octets := os.read(terminal, 1000):
            shown += octets
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


@pytest.mark.parametrize("end", [b".\n", b"\x04"])
def test_J20_on_a_terminal_a_dot_or_the_end_ends_it(writer: Writer, end: bytes) -> None:
    code, shown = type_in(writer, b"a\n..\nb\n" + end)
    assert code == 0, shown
    assert "a line with only a dot ends it" in shown
    assert take(writer)[2].endswith(b"\r\n\r\na\r\n..\r\nb\r\n")


def test_J20_who_gives_up_at_the_terminal_sends_nothing(writer: Writer) -> None:
    code, shown = type_in(writer, b"a\x03")
    assert (code, writer.dropped()) == (75, [])
    assert "mailto: ended by SIGINT" in shown


def test_J12_bad_line_ends_and_bad_usage(writer: Writer) -> None:
    assert writer.call("u", letter=b"a\rb\n").code == 65
    assert writer.call(letter=TEXT).code == 64
    assert writer.call("-Z", "u", letter=TEXT).code == 64
    assert writer.call("a@b@c", letter=TEXT).code == 65
    assert writer.call("u@x", letter=TEXT).code == 65  # no domain has one label
    assert writer.dropped() == []


def test_J12_a_drop_that_may_not_be_written_is_said_so_and_the_message_kept(writer: Writer) -> None:
    writer.drop.rmdir()
    called = writer.call("u@x.example", letter=TEXT)
    assert called.code == 77
    assert (
        f"you may not leave mail in {writer.drop}: No such file or directory; `paperpath up`" in called.errors
    )
    assert f"the message is kept in {writer.dead_letter}\n" in called.errors
    assert b"X-Envelope-To: u@x.example\nTo: u@x.example\n\nHi\n" in writer.dead_letter.read_bytes()


def test_J12_without_a_configuration_the_message_is_kept(writer: Writer) -> None:
    writer.file.unlink()
    called = writer.call("u@x.example", letter=TEXT)
    assert called.code == 78
    assert f"{writer.file}: cannot be read" in called.errors
    assert writer.dead_letter.exists()


def test_J12_what_is_too_long_is_refused_at_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path, more='[drop]\nsize = "64 KiB"\n')
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(2**40)
    called = writer.call("-a", str(sparse), "u", letter=TEXT)
    assert (called.code, writer.dropped()) == (65, [])
    assert "65536 octets" in called.errors
    assert writer.call("u", letter=b"x\n" * 40_000).code == 65
    assert (
        writer.call("-a", str(writer.file), "u", letter=b"x\n" * 21_700).code == 65
    )  # just too long encoded
    assert writer.dropped() == []


def test_J12_ten_thousand_recipients_are_one_message_and_more_are_refused(writer: Writer) -> None:
    recipients = [f"r{number}@x.example" for number in range(10_000)]
    called = writer.call(*recipients, letter=TEXT)
    assert (called.code, called.errors) == (0, "")
    assert take(writer)[0] == recipients
    called = writer.call(*recipients, "one-more@x.example", letter=TEXT)
    assert (called.code, len(writer.dropped())) == (65, 1), called.errors
    assert "more than 10000" in called.errors


def test_J13_input_that_cannot_be_read_is_never_sent(writer: Writer) -> None:
    with Path("/proc/self/mem").open("rb") as failing:  # EIO
        done = subprocess.run(
            [program_path("mailto"), "u"],
            stdin=failing,
            capture_output=True,
            check=False,
            env=writer.environment,
        )
    assert (done.returncode, writer.dropped()) == (74, []), done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_J13_who_is_ended_before_the_end_of_the_input_sends_nothing(
    writer: Writer, number: signal.Signals
) -> None:
    with writer.start("u") as process:
        assert process.stdin is not None
        process.stdin.write(TEXT)
        process.stdin.flush()
        wait_until(lambda: catches(process.pid, number), "mailto to catch signals")
        process.send_signal(number)
        _, errors = process.communicate()
    assert (process.returncode, writer.dropped()) == (75, [])
    assert errors == f"mailto: ended by {number.name}\n".encode()


@pytest.mark.parametrize(
    ("redirection", "code"),
    [("<&-", 66), (">&-", 0), ("2>&-", 0), (">&- 2>&-", 0), (">/dev/full 2>/dev/full", 0)],
)
def test_J12_standard_files_that_are_closed_or_full(writer: Writer, redirection: str, code: int) -> None:
    command = f"{program_path('mailto')} -v u {redirection}"
    done = subprocess.run(
        ["/bin/sh", "-c", command], input=TEXT, capture_output=True, check=False, env=writer.environment
    )
    assert (done.returncode, len(writer.dropped())) == (code, 0 if code else 1), done.stderr


def test_nobody_who_hears_it_changes_nothing(writer: Writer) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [program_path("mailto"), "-v", "u"],
        input=TEXT,
        stdout=writing,
        stderr=writing,
        check=False,
        env=writer.environment,
    )
    os.close(writing)
    assert (done.returncode, len(writer.dropped())) == (0, 1)


def test_J12_a_file_that_may_not_become_so_long_leaves_nothing(writer: Writer) -> None:
    done = subprocess.run(
        [program_path("mailto"), "u"],
        input=b"x\n" * 40_000,
        capture_output=True,
        check=False,
        env=writer.environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert (done.returncode, writer.dropped()) == (71, []), done.stderr
    assert b"File too large" in done.stderr
    assert b"the message is lost, for it could not be kept either" in done.stderr
    assert writer.dead_letter.read_bytes() == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_J12_without_room_it_is_for_later_and_nothing_is_left(writer: Writer) -> None:
    options = ["-t", "tmpfs", "-o", "size=64k,mode=3733", "paperpath-test"]
    subprocess.run(["mount", *options, str(writer.drop)], check=True)
    try:
        called = writer.call("u@x.example", letter=b"x\n" * 100_000)
        assert (called.code, list(writer.drop.iterdir())) == (75, []), called.errors
        assert "No space left" in called.errors
        full = writer.call("u@x.example", letter=b"x\n" * 2_000_000, more={"TMPDIR": str(writer.drop)})
        assert (full.code, list(writer.drop.iterdir())) == (75, []), full.errors
    finally:
        subprocess.run(["umount", str(writer.drop)], check=True)
    assert writer.dead_letter.read_bytes().count(b"x\n") == 100_000


def test_it_imports_nothing_that_takes_long_and_takes_little_memory(writer: Writer) -> None:
    """Architecture, §3 rule 3. A program begins with the memory of who starts it: so that is a small one."""
    code = """
import resource, sys
from paperpath.commands.mailto import main
sys.argv = ["mailto", "-s", "x", "-a", "/etc/hosts", "u"]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, *sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"],
        input=b"0123456789012345678901234567890123456789\n" * 100,
        capture_output=True,
        check=True,
        env=writer.environment,
    )
    kibibytes, *modules = done.stdout.decode().split()
    assert len(writer.dropped()) == 1
    assert {name.partition(".")[0] for name in modules}.isdisjoint({*FORBIDDEN, "email", "socket", "ssl"})
    assert int(kibibytes) < 40 * 1024
