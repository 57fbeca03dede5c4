"""Mail through all programs, as users start them: in by SMTP, into the Maildir, nothing changed."""

import hashlib
import json
import os
import re
import signal
import smtplib
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.support.corpus import own_messages
from tests.support.installation import Installation, content_of, program_path, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One running installation for tests that only send mail; each uses a mailbox of its own."""
    accounts = ("admin@here.example", "u@here.example", "joe@here.example", "Joe@here.example")
    installation = Installation(
        tmp_path_factory.mktemp("shared"), more_relay="idle_timeout_s = 2", accounts=accounts
    )
    with installation.up():
        yield installation


def new_account(installation: Installation, name: str) -> str:
    address = f"{name}@here.example"
    installation.run("account", "add", "--config", str(installation.file), address)
    return address


def send_all(wire: Wire, recipient: bytes, messages: list[bytes]) -> list[bytes]:
    """Send messages over one connection, pipelined; return the replies to their ends."""
    replies = []
    for message in messages:
        wire.send(b"MAIL FROM:<sender@else.example>\r\nRCPT TO:<" + recipient + b">\r\nDATA\r\n")
        assert [wire.reply()[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        wire.send(stuffed(message))
        replies.append(wire.reply())
    return replies


def as_delivered(message: bytes) -> bytes:
    """Take off the Return-Path fields of earlier deliveries, as final delivery does (F-1)."""
    header, end, body = message.partition(b"\r\n\r\n")
    if message.startswith(b"\r\n"):
        return message
    earlier = rb"(?is)(?:\A|(?<=\r\n))return-path[ \t]*:.*?(?:\r\n(?![ \t])|\Z)"
    return re.sub(earlier, b"", header + end[:2]) + end[2:] + body


def digests(messages: Iterable[bytes]) -> Counter[str]:
    return Counter(hashlib.sha256(message).hexdigest() for message in messages)


def test_a_hand_typed_session_arrives_with_its_trace_fields(shared: Installation) -> None:
    address = new_account(shared, "typed")
    with Wire(shared.port) as wire:
        wire.open_transaction(address.encode())
        wire.send(b"Subject: typed\r\n\r\n..a dot\r\n.\r\n")
        reply = wire.reply()
        assert wire.ask(b"QUIT").startswith(b"221 ")
    queue_id = re.fullmatch(rb"250 2\.0\.0 Taken as (\w+)\r\n", reply)
    assert queue_id is not None
    (file,) = shared.wait_for_deliveries(1, address)
    lines = file.read_bytes().split(b"\n")
    assert lines[0] == b"Return-Path: <sender@else.example>"
    assert lines[1] == b"Delivered-To: typed@here.example"
    assert lines[2] == b"Received: from client.example ([127.0.0.1])"
    assert lines[3] == b" by mx.here.example with ESMTP id " + queue_id[1]
    assert lines[4] == b" for <typed@here.example>;"
    assert lines[6:] == [b"Subject: typed", b"", b".a dot", b""]
    assert re.fullmatch(r"\d+\.M\d+R\d+\.mx\.here\.example,S=\d+", file.name)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_smtplib_delivers(shared: Installation) -> None:
    address = new_account(shared, "smtplib")
    with smtplib.SMTP("127.0.0.1", shared.port) as client:
        client.sendmail("a@else.example", address, "Subject: x\n\nline\n.\n..\nend\n")
    (file,) = shared.wait_for_deliveries(1, address)
    assert content_of(file.read_bytes()) == b"Subject: x\r\n\r\nline\r\n.\r\n..\r\nend\r\n"


def test_C1_P1_F9_odd_messages_arrive_octet_for_octet(shared: Installation) -> None:
    address = new_account(shared, "odd")
    messages = list(own_messages(200))
    with Wire(shared.port) as wire:
        wire.reply()
        wire.ask(b"EHLO client.example")
        replies = send_all(wire, address.encode(), messages)
    assert all(reply.startswith(b"250 ") for reply in replies)
    files = shared.wait_for_deliveries(len(messages), address)
    assert digests([content_of(file.read_bytes()) for file in files]) == digests(
        list(map(as_delivered, messages))
    )


def test_P1_F9_corpora_of_others_arrive_octet_for_octet(tmp_path: Path) -> None:
    corpora = os.environ.get("PAPERPATH_CORPORA")
    if not corpora:
        pytest.skip("PAPERPATH_CORPORA names no folder of messages")
    found = [file.read_bytes() for file in sorted(Path(corpora).rglob("*")) if file.is_file()]
    messages = [re.sub(rb"\r\n|\r|\n", b"\r\n", octets.rstrip(b"\r\n") + b"\n") for octets in found]
    assert len(messages) > 1000
    installation = Installation(tmp_path, more_relay="")
    text = installation.file.read_text().replace("size = 100000", 'size = "50 MiB"')
    installation.file.write_text(text)
    with installation.up():
        with Wire(installation.port) as wire:
            wire.reply()
            wire.ask(b"EHLO client.example")
            replies = send_all(wire, b"u@here.example", messages)
        looping = [reply for reply in replies if not reply.startswith(b"250 ")]
        assert looping == []
        files = installation.wait_for_deliveries(len(messages))
        assert digests([content_of(file.read_bytes()) for file in files]) == digests(
            list(map(as_delivered, messages))
        )


def test_several_recipients_get_one_copy_each(shared: Installation) -> None:
    addresses = [new_account(shared, f"many{number}") for number in range(5)]
    with Wire(shared.port) as wire:
        wire.open_transaction(*[address.encode() for address in addresses])
        wire.send(b"Subject: to all\r\n\r\n.\r\n")
        assert wire.reply().startswith(b"250 ")
    for address in addresses:
        (file,) = shared.wait_for_deliveries(1, address)
        octets = file.read_bytes()
        assert octets.count(b"Delivered-To: " + address.encode()) == octets.count(b"Delivered-To: ") == 1
        assert b" for " not in octets
        assert b"many" not in octets.replace(address.encode(), b"")


def test_A28_E4_postmaster_without_domain_reaches_somebody(shared: Installation) -> None:
    before = len(shared.delivered("admin@here.example"))
    for recipients in ((b"PostMaster",), (b"postmaster@here.example", b"POSTMASTER", b"admin@here.example")):
        with Wire(shared.port) as wire:
            wire.open_transaction(*recipients)
            wire.send(stuffed(b"Subject: help\r\n"))
            assert wire.reply().startswith(b"250 ")
    shared.wait_for_deliveries(before + 2, "admin@here.example")


def test_E5_exact_case_first_then_any(shared: Installation) -> None:
    with Wire(shared.port) as wire:
        wire.open_transaction(b"joe@here.example", b"Joe@here.example", b"U@here.example")
        wire.send(stuffed(b"Subject: case\r\n"))
        assert wire.reply().startswith(b"250 ")
    for address in ("joe@here.example", "Joe@here.example", "u@here.example"):
        shared.wait_for_deliveries(1, address)


def test_the_null_sender_is_written_as_such(shared: Installation) -> None:
    address = new_account(shared, "null")
    with Wire(shared.port) as wire:
        wire.reply()
        wire.ask(b"HELO client.example")
        wire.ask(b"MAIL FROM:<>")
        wire.ask(b"RCPT TO:<" + address.encode() + b">")
        wire.ask(b"DATA")
        assert wire.ask(b"Subject: bounce\r\n.").startswith(b"250 ")
    (file,) = shared.wait_for_deliveries(1, address)
    assert file.read_bytes().startswith(b"Return-Path: <>\n")
    assert b" with SMTP id " in file.read_bytes()


def test_large_content_takes_the_way_by_file(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.file.write_text(installation.file.read_text().replace("size = 100000", 'size = "30 MiB"'))
    message = b"".join(b"%07d 0123456789abcdefghijklmnopqrstuvwxyz\r\n" % number for number in range(500_000))
    with installation.up():
        with Wire(installation.port) as wire:
            wire.open_transaction()
            wire.send(stuffed(message))
            assert wire.reply().startswith(b"250 ")
        (file,) = installation.wait_for_deliveries(1)
        assert content_of(file.read_bytes()) == message
        content = tmp_path / "data" / "maildrop" / "content"
        wait_until(lambda: not [entry for entry in content.rglob("*") if entry.is_file()], "the file to go")
        pid = installation.pid("smtprd")
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        assert peak is not None
        assert int(peak[1]) < 100_000  # 22 MB of content, never held whole


def test_A18_silence_ends_in_421(shared: Installation) -> None:
    with Wire(shared.port) as wire:
        assert wire.reply().startswith(b"220 ")
        assert wire.reply().startswith(b"421 4.4.2 ")
        assert wire.reply() == b""


def test_D7_a_cut_before_the_end_of_data_stores_nothing(shared: Installation) -> None:
    address = new_account(shared, "cut")
    accepted = shared.books().accepted
    for cut in (Wire.close, Wire.reset):
        half = Wire(shared.port)
        half.open_transaction(address.encode())
        half.send(b"Subject: half\r\n\r\nhalf a")
        cut(half)
    with Wire(shared.port) as wire:
        wire.open_transaction(address.encode())
        wire.send(stuffed(b"Subject: whole\r\n"))
        assert wire.reply().startswith(b"250 ")
    (file,) = shared.wait_for_deliveries(1, address)
    assert b"whole" in file.read_bytes()
    assert shared.books().accepted == accepted + 1


def test_D7_a_reset_after_the_dot_keeps_the_message(shared: Installation) -> None:
    address = new_account(shared, "dot")
    wire = Wire(shared.port)
    wire.open_transaction(address.encode())
    wire.send(stuffed(b"Subject: kept\r\n"))
    wire.reset()
    shared.wait_for_deliveries(1, address)
    with Wire(shared.port) as again:  # the client did not read its 250, and sends once more
        again.open_transaction(address.encode())
        again.send(stuffed(b"Subject: kept\r\n"))
        assert again.reply().startswith(b"250 ")
    wait_until(lambda: shared.books().claimed == shared.books().unsorted == 0, "all to be settled")
    assert len(shared.wait_for_deliveries(2, address)) == 2


def test_A51_a_message_that_went_through_a_hundred_hosts_is_refused(shared: Installation) -> None:
    address = new_account(shared, "loop")
    field = b"Received: from a by b; Sun, 22 Nov 2026 00:00:00 +0000\r\n"
    with Wire(shared.port) as wire:
        wire.open_transaction(address.encode())
        wire.send(stuffed(field * 99 + b"\r\n" + field * 500))
        assert wire.reply().startswith(b"250 ")
        for line in (b"MAIL FROM:<a@b.example>", b"RCPT TO:<" + address.encode() + b">", b"DATA"):
            wire.ask(line)
        wire.send(stuffed(field * 100 + b"\r\n"))
        assert wire.reply().startswith(b"554 5.4.6 ")
        assert wire.ask(b"NOOP").startswith(b"250 ")


def test_a_new_account_is_noticed_without_a_restart(shared: Installation) -> None:
    with Wire(shared.port) as wire:
        wire.reply()
        wire.ask(b"EHLO c")
        wire.ask(b"MAIL FROM:<a@b.example>")
        assert wire.ask(b"RCPT TO:<late@here.example>").startswith(b"550 5.1.1 ")
        new_account(shared, "late")
        assert wire.ask(b"RCPT TO:<late@here.example>").startswith(b"250 ")
    shared.run("account", "remove", "--config", str(shared.file), "late@here.example")
    with Wire(shared.port) as wire:
        wire.reply()
        wire.ask(b"EHLO c")
        wire.ask(b"MAIL FROM:<a@b.example>")
        assert wire.ask(b"RCPT TO:<late@here.example>").startswith(b"550 5.1.1 ")


def test_mail_for_a_remote_domain_waits_visibly(shared: Installation) -> None:
    address = "waits@backup.example"
    with Wire(shared.port) as wire:
        wire.open_transaction(address.encode())
        wire.send(stuffed(b"Subject: waits\r\n"))
        assert wire.reply().startswith(b"250 ")
    listing = ("queue", "list", "--json", "--recipient", address, "--config", str(shared.file))
    wait_until(lambda: json.loads(shared.run(*listing))["state"] == "ready", "the recipient to be ready")
    assert shared.books().balance


def test_E17_a_mailbox_removed_before_its_mail_is_sorted_fails_it(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.start("smtprd"):
        wait_until(lambda: "ready" in installation.output(), "smtprd to be ready")
        with Wire(installation.port) as wire:
            wire.open_transaction(b"u@here.example")
            wire.send(stuffed(b"Subject: kept\r\n"))
            assert wire.reply().startswith(b"250 ")
    installation.run("account", "remove", "--config", str(installation.file), "u@here.example")
    with installation.up():
        wait_until(lambda: "550 5.1.1" in installation.output(), "the recipient to be refused")
    assert installation.books().failed == 1
    assert installation.books().balance


def test_a_second_run_keeps_the_mail_of_the_first_and_ctrl_c_ends_cleanly(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    for run in (1, 2):
        with installation.up() as process:
            with smtplib.SMTP("127.0.0.1", installation.port) as client:
                client.sendmail("a@else.example", "u@here.example", f"Subject: {run}\n\n")
            installation.wait_for_deliveries(run)
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(30) == 0
        assert "Traceback" not in installation.output()
        assert installation.pid("smtprd") is None
    books = installation.books()
    assert (books.accepted, books.delivered, books.open) == (2, 2, 0)


def test_A19_an_end_during_data_drops_the_open_transaction(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.up() as process, Wire(installation.port) as wire:
        wire.open_transaction()
        wire.send(b"Subject: half\r\n")
        process.send_signal(signal.SIGTERM)
        assert wire.reply().startswith(b"421 4.3.2 ")
        assert process.wait(30) == 0
    assert installation.books().accepted == 0


def test_P8_each_program_runs_alone_and_finds_the_work_of_the_others(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.up():
        pass
    for program in ("smtprd", "smtppd", "smtpld"):
        with installation.start(program) as process:
            wait_until(lambda: " info ready " in installation.output(), f"{program} to be ready")
            if program == "smtprd":
                with smtplib.SMTP("127.0.0.1", installation.port) as client:
                    client.sendmail("a@else.example", "u@here.example", "Subject: alone\n\n")
            elif program == "smtppd":
                wait_until(lambda: installation.books().ready == 1, "the recipient to be sorted")
            else:
                installation.wait_for_deliveries(1)
            process.terminate()
            assert process.wait(30) == 0
    assert installation.books().balance


def test_D17_a_second_post_office_refuses_to_start(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    with installation.up():
        second = subprocess.run(
            [program_path("smtppd"), "--config", str(installation.file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == os.EX_UNAVAILABLE
        assert "smtppd is running already" in second.stderr


def test_a_busy_port_is_named_with_the_program_that_wants_it(tmp_path: Path) -> None:
    first, second = Installation(tmp_path / "first"), Installation(tmp_path / "second")
    second.file.write_text(second.file.read_text().replace(str(second.port), str(first.port)))
    with first.up():
        done = subprocess.run(
            [program_path("paperpath"), "up", "--config", str(second.file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == os.EX_UNAVAILABLE
        assert (
            f"smtprd cannot listen on 127.0.0.1:{first.port}: another program has it already" in done.stderr
        )
        assert "Traceback" not in done.stderr
    assert second.pid("smtppd") is None


def test_E7_E18_aliases_are_followed_as_the_file_has_them_now(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    text = installation.file.read_text(encoding="utf-8")
    installation.file.write_text(text.replace("[post_office]", '[post_office]\naliases = "aliases"'))
    aliases = installation.file.parent / "aliases"
    aliases.write_text("info: u, u@here.example, copy@backup.example\n", encoding="utf-8")
    with installation.up():
        with Wire(installation.port) as wire:
            wire.open_transaction(b"info@here.example")
            wire.send(stuffed(b"Subject: one\r\n"))
            assert wire.reply().startswith(b"250 ")
        installation.wait_for_deliveries(1, "u@here.example")
        new = aliases.with_name("new")
        new.write_text("info: admin\nmore: u\n", encoding="utf-8")
        new.replace(aliases)
        with Wire(installation.port) as wire:
            wire.open_transaction(b"info@here.example", b"more@here.example")
            wire.send(stuffed(b"Subject: two\r\n"))
            assert wire.reply().startswith(b"250 ")
        installation.wait_for_deliveries(1, "admin@here.example")
        installation.wait_for_deliveries(2, "u@here.example")
    books = installation.books()
    assert (books.made, books.expanded, books.delivered, books.ready) == (4, 3, 3, 1)
    assert books.balance
