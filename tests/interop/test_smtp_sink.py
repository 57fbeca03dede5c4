"""Postfix's smtp-sink takes mail from us, whatever it announces, and however it fails before."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.installation import find_free_port, wait_until
from tests.support.postfix import public_folder, without_our_line
from tests.support.routed import RoutedInstallation, status_blocks
from tests.support.smtp_sink import SmtpSink

pytestmark = [pytest.mark.interop, pytest.mark.slow]

# What each does not announce; the last speaks no ESMTP at all.
POORER = {
    "all": (),
    "no-pipelining": ("-p",),
    "no-status": ("-E",),
    "no-dsn": ("-N",),
    "no-8bit": ("-8",),
    "old": ("-e",),
}
# Each fails like this for whatever comes, until another takes its place. It knows no failing at random.
FAILING = {
    "drops-at-greeting": ("-q", "CONNECT"),
    "drops-at-mail": ("-q", "MAIL"),
    "drops-at-rcpt": ("-q", "RCPT"),
    "drops-at-data": ("-q", "DATA"),
    "drops-at-dot": ("-q", "."),
    "closes-at-greeting": ("-Q", "CONNECT"),
    "closes-at-mail": ("-Q", "MAIL"),
    "closes-at-dot": ("-Q", "."),
    "refuses-greeting": ("-r", "CONNECT"),
    "refuses-mail": ("-r", "MAIL"),
    "refuses-rcpt": ("-r", "RCPT"),
    "refuses-data": ("-r", "DATA"),
    "refuses-dot": ("-r", "."),
}
COUNT = 5
CONTENT = b"Subject: x\r\n\r\n.\r\n..\r\n.dot\r\n" + b"z" * 998 + b"\r\n"


@pytest.fixture(scope="module")
def public() -> Iterator[Path]:
    with public_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoutedInstallation]:
    names = [*POORER, *FAILING, "refusing"]
    installation = RoutedInstallation(
        tmp_path_factory.mktemp("sink"), {name: find_free_port() for name in names}
    )
    with installation.up():
        yield installation


@pytest.mark.parametrize("name", POORER)
def test_P1_smtp_sink_takes_mail_octet_for_octet(ours: RoutedInstallation, public: Path, name: str) -> None:
    sink = SmtpSink(public, ours.ports[name], *POORER[name])
    with sink.run():
        sink.wait_for_greeting()
        for _ in range(COUNT):
            ours.send(f"joe@{name}.wild.example", f"ann@{name}.wild.example", content=CONTENT)
        ours.wait_for_rest()
        taken = sink.taken()
    assert [without_our_line(one.content) for one in taken] == [CONTENT] * COUNT
    assert all(
        [rcpt.split(" ")[0] for rcpt in one.rcpt]
        == [f"<joe@{name}.wild.example>", f"<ann@{name}.wild.example>"]
        for one in taken
    )


def test_G25_smtp_sink_takes_8_bit_mail_where_it_announces_that(
    ours: RoutedInstallation, public: Path
) -> None:
    content = b"Subject: x\r\n\r\n" + bytes(range(128, 256)) + b"\r\n"
    with ExitStack() as stack:
        sinks = [SmtpSink(public, ours.ports[name], *POORER[name]) for name in ("all", "no-8bit")]
        for sink in sinks:
            stack.enter_context(sink.run())
            sink.wait_for_greeting()
        for name in ("all", "no-8bit"):
            ours.send(f"high@{name}.wild.example", content=content, mail=["BODY=8BITMIME"])
        report = ours.wait_for_report("failed", "high@no-8bit.wild.example")
        ours.wait_for_rest()
        (taken,) = sinks[0].taken()
        assert sinks[1].count() == 0
    assert without_our_line(taken.content) == content
    assert " BODY=8BITMIME" in taken.mail
    assert status_blocks(report)[1]["Status"] == "5.6.3"


def test_G29_what_smtp_sink_failed_at_is_delivered_in_the_end(ours: RoutedInstallation, public: Path) -> None:
    with ExitStack() as stack:
        for name, options in FAILING.items():
            stack.enter_context(SmtpSink(public, ours.ports[name], *options).run())
        for name in FAILING:
            for _ in range(COUNT):
                ours.send(f"joe@{name}.wild.example", content=CONTENT)
        wait_until(lambda: all(map(ours.has_failed, FAILING)), "failures")
        assert ours.books().open == COUNT * len(FAILING)
    sinks = [SmtpSink(public, ours.ports[name]) for name in FAILING]
    with ExitStack() as stack:
        for sink in sinks:
            stack.enter_context(sink.run())
            sink.wait_for_greeting()
        ours.wait_for_rest()
    assert [sink.count() for sink in sinks] == [COUNT] * len(sinks)
    assert {without_our_line(one.content) for sink in sinks for one in sink.taken()} == {CONTENT}


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_H1_what_smtp_sink_refuses_comes_back(ours: RoutedInstallation, public: Path, command: str) -> None:
    address = f"{command.lower().replace('.', 'dot')}@refusing.wild.example"
    sink = SmtpSink(public, ours.ports["refusing"], "-f", command)
    with sink.run():
        sink.wait_for_greeting()
        ours.send(address, content=CONTENT)
        report = ours.wait_for_report("failed", address)
        ours.wait_for_rest()
    _, block = status_blocks(report)
    assert block["Diagnostic-Code"] == "smtp; 500 5.3.0 Error: command failed"
    assert (block["Status"], block["Remote-MTA"]) == ("5.3.0", "dns; [127.0.0.1]")


def test_G27_H1_success_is_told_by_whom_smtp_sink_leaves_to_tell_it(
    ours: RoutedInstallation, public: Path
) -> None:
    mail, rcpt = ["RET=HDRS", "ENVID=env+2Bid"], ["NOTIFY=SUCCESS", "ORCPT=rfc822;a+2Bb@x.example"]
    with ExitStack() as stack:
        sinks = [SmtpSink(public, ours.ports[name], *POORER[name]) for name in ("all", "no-dsn")]
        for sink in sinks:
            stack.enter_context(sink.run())
            sink.wait_for_greeting()
        for name in ("all", "no-dsn"):
            ours.send(f"told@{name}.wild.example", mail=mail, rcpt=rcpt)
        report = ours.wait_for_report("relayed", "told@no-dsn.wild.example")
        ours.wait_for_rest()
    (with_dsn,), (without,) = (sink.taken() for sink in sinks)
    assert with_dsn.mail.endswith(" RET=HDRS ENVID=env+2Bid")
    assert with_dsn.rcpt == ("<told@all.wild.example> NOTIFY=SUCCESS ORCPT=rfc822;a+2Bb@x.example",)
    assert without.rcpt == ("<told@no-dsn.wild.example>",)
    assert "ENVID" not in without.mail
    assert status_blocks(report)[0]["Original-Envelope-Id"] == "env+id"
    assert not [report for report in ours.reports() if "told@all.wild.example" in report.as_string()]
