"""A real Postfix takes mail from us, refuses it, reports on it, and relays to us."""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest
import trustme
from flufl.bounce import all_failures

from tests.support.installation import content_of, wait_until
from tests.support.postfix import HOST, Postfix, public_folder, without_our_line, without_postfix_line
from tests.support.routed import (
    POSTMASTER,
    SENDER,
    RoutedInstallation,
    list_actions,
    read_message,
    status_blocks,
    submit,
)
from tests.support.tls import AUTHORITY

pytestmark = [pytest.mark.interop, pytest.mark.slow]

TLS = {"smtpd_tls_security_level": "may", "smtpd_tls_received_header": "yes"}
# A server for each name, mail for whose domain goes there; only the recipients listed are known to it.
SERVERS: dict[str, dict[str, str]] = {
    "plain": {},
    "tls": TLS,
    "required": TLS,
    "insecure": {},
    "untrusted": TLS,
    "small": {"message_size_limit": "2000"},
    "grey": {"smtpd_recipient_restrictions": "$put_off"},
    "narrow": {"smtpd_discard_ehlo_keywords": "8bitmime,smtputf8"},
    "silent": {"smtpd_discard_ehlo_keywords": "dsn"},
    "trusting": {"smtpd_reject_unlisted_recipient": "no"},
}
MAILBOXES = ("joe", "ann", "kept", "δοκιμή")


class Pair:
    """The two of them: each has mail of the other's domains relayed to it."""

    def __init__(self, folder: Path, public: Path) -> None:
        authorities = folder / "authorities.pem"
        AUTHORITY.cert_pem.write_to_path(str(authorities))
        self.postfix = Postfix(public, SERVERS, mailboxes=MAILBOXES)
        others = folder / "others.pem"
        trustme.CA().cert_pem.write_to_path(str(others))
        options = {
            "required": f'tls = "require"\nca_file = "{authorities}"',
            "insecure": 'tls = "require"',
            "untrusted": f'tls = "require"\nca_file = "{others}"',
        }
        self.ours = RoutedInstallation(folder, self.postfix.ports, options)
        self.postfix.configure(
            {
                "relayhost": f"[127.0.0.1]:{self.ours.port}",
                "smtp_connection_cache_destinations": f"[127.0.0.1]:{self.ours.port}",
                "smtp_line_length_limit": "0",  # 998: it breaks longer lines when it relays
                "put_off": "check_recipient_access static:{450 4.2.0 Come back later}, reject",
            }
        )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with public_folder() as public:
        pair = Pair(tmp_path_factory.mktemp("postfix"), public)
        with pair.postfix.run(), pair.ours.up():
            yield pair


# We deliver to it

CONTENTS = {
    "plain": b"Subject: plain\r\n\r\nHi\r\n",
    "dots": b"Subject: dots\r\n\r\n.\r\n..\r\n.begins with a dot\r\n...\r\n",
    "8-bit": "Subject: 8-bit\r\n\r\nGrüße, ☃\r\n".encode() + bytes(range(128, 256)) + b"\r\n",
    "998": b"Subject: long\r\n\r\n" + b"x" * 998 + b"\r\n" + b"." * 998 + b"\r\n",
    "8-bit header": "Subject: Grüße\r\nX: ☃\r\n\r\nGrüße\r\n".encode(),
    "a line of 10,000": b"Subject: long\r\n\r\n" + b"x" * 10_000 + b"\r\n",
    "5 MiB": b"Subject: large\r\n\r\n" + (b"." + b"y" * 76 + b"\r\n") * (5 * 2**20 // 79),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_P1_postfix_takes_mail_octet_for_octet(pair: Pair, name: str) -> None:
    address, content = "joe@plain.wild.example", CONTENTS[name]
    before = len(pair.postfix.delivered(address))
    pair.ours.send(address, content=content, mail=[] if content.isascii() else ["BODY=8BITMIME"])
    taken = pair.postfix.wait_for(address, before + 1)
    assert content in [without_our_line(one) for one in taken]


def test_G26_postfix_takes_mail_with_smtputf8(pair: Pair) -> None:
    address = "δοκιμή@plain.wild.example"
    content = "From: <jöe@here.example>\r\nSubject: Grüße\r\n\r\nGrüße\r\n".encode()
    pair.ours.send(address, content=content, sender="jöe@here.example", mail=["SMTPUTF8", "BODY=8BITMIME"])
    (taken,) = pair.postfix.wait_for(address)
    assert without_our_line(taken) == content


def test_G29_postfix_takes_several_recipients_at_once(pair: Pair) -> None:
    before = pair.postfix.logged().count(" nrcpt=2 ")
    pair.ours.send("joe@silent.wild.example", "ann@silent.wild.example", content=CONTENTS["plain"])
    for address in ("joe@silent.wild.example", "ann@silent.wild.example"):
        (taken,) = pair.postfix.wait_for(address)
        assert without_our_line(taken) == CONTENTS["plain"]
    assert pair.postfix.logged().count(" nrcpt=2 ") == before + 1


@pytest.mark.parametrize("name", ["tls", "required"])
def test_G35_postfix_takes_mail_over_tls(pair: Pair, name: str) -> None:
    address = f"joe@{name}.wild.example"
    for content in (CONTENTS["8-bit"], CONTENTS["5 MiB"]):
        before = len(pair.postfix.delivered(address))
        pair.ours.send(address, content=content)
        taken = pair.postfix.wait_for(address, before + 1)
        assert content in [without_our_line(one) for one in taken]
    received = [file.read_bytes().split(b"\nReceived: ")[1] for file in pair.postfix.delivered(address)]
    assert all(b"(using TLSv1.3 " in one and b"with ESMTPS id" in one for one in received)


@pytest.mark.parametrize("name", ["insecure", "untrusted"])
def test_G35_mail_that_must_be_encrypted_is_not_given_to_postfix_otherwise(pair: Pair, name: str) -> None:
    pair.ours.send(f"joe@{name}.wild.example")
    wait_until(lambda: pair.ours.has_failed(name), "an attempt")
    pair.ours.ask("queue", "remove", "--domain", f"{name}.wild.example")
    assert f"to=<joe@{name}.wild.example>" not in pair.postfix.logged()


# It refuses


def test_H1_a_recipient_that_postfix_does_not_know_comes_back(pair: Pair) -> None:
    address = "nobody@plain.wild.example"
    pair.ours.send("joe@plain.wild.example", address, content=CONTENTS["dots"])
    report = pair.ours.wait_for_report("failed", address)
    _, block = status_blocks(report)
    assert block["Remote-MTA"] == "dns; [127.0.0.1]"
    assert block["Status"] == "5.1.1"
    diagnostic = " ".join(str(block["Diagnostic-Code"]).split())
    assert diagnostic.startswith(f"smtp; 550 5.1.1 <{address}>: Recipient address rejected: User unknown")
    assert all_failures(report)[1] == {address.encode()}
    text = " ".join(read_text(report).split())
    assert f"127.0.0.1 said: 550 5.1.1 <{address}>: Recipient address rejected: User unknown" in text
    assert "It will not be tried again" in text
    assert returned(report).endswith(CONTENTS["dots"])


def test_H20_the_address_of_a_failed_recipient_is_told_in_ascii_to_whoever_is_ascii(pair: Pair) -> None:
    pair.ours.send("όχι@plain.wild.example", mail=["SMTPUTF8", "BODY=8BITMIME"])
    report = pair.ours.wait_for_report("failed", "\\x{3CC}\\x{3C7}\\x{3B9}@plain.wild.example")
    assert report.as_bytes().isascii()
    assert str(status_blocks(report)[1]["Final-Recipient"]).startswith("utf-8; ")
    assert str(status_blocks(report)[1]["Status"]) == "5.1.1"


def test_G24_a_message_above_postfix_limit_comes_back_unsent(pair: Pair) -> None:
    address = "joe@small.wild.example"
    pair.ours.send(address, content=b"Subject: x\r\n\r\n" + b"z\r\n" * 1000)
    report = pair.ours.wait_for_report("failed", address)
    assert str(status_blocks(report)[1]["Status"]) == "5.3.4"
    assert all_failures(report)[1] == {address.encode()}
    assert address not in pair.postfix.logged()


def test_G29_what_postfix_puts_off_waits(pair: Pair) -> None:
    address = "joe@grey.wild.example"
    pair.ours.send(address)
    wait_until(
        lambda: pair.postfix.logged().count(f"<{address}>: Recipient address rejected: Come") > 1,
        "it to come back",
    )
    assert "450 4.2.0" in pair.ours.ask("why", address)
    pair.ours.ask("queue", "remove", "--domain", "grey.wild.example")
    assert [report for report in pair.ours.reports() if ("failed", address) in list_actions(report)] == []


def test_G25_8_bit_mail_that_postfix_does_not_announce_to_take_comes_back(pair: Pair) -> None:
    address = "ann@narrow.wild.example"
    pair.ours.send(address, content=CONTENTS["8-bit"], mail=["BODY=8BITMIME"])
    report = pair.ours.wait_for_report("failed", address)
    assert str(status_blocks(report)[1]["Status"]) == "5.6.3"
    assert pair.postfix.delivered(address) == []


def test_H4_a_report_that_postfix_refuses_goes_to_the_postmaster_once(pair: Pair) -> None:
    address = "nobody@tls.wild.example"
    pair.ours.send(address, sender="gone@plain.wild.example")
    pair.ours.wait_for_report("failed", "gone@plain.wild.example", POSTMASTER)
    pair.ours.wait_for_rest()
    assert len(pair.ours.reports(POSTMASTER)) == 1


# DSN


def test_G27_H1_postfix_reports_success_and_we_do_not(pair: Pair) -> None:
    address = "ann@plain.wild.example"
    pair.ours.send(
        address,
        content=CONTENTS["dots"],
        mail=["RET=HDRS", "ENVID=env+2Bid"],
        rcpt=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;first@else.example"],
    )
    report = pair.ours.wait_for_report("delivered", address)
    message, block = status_blocks(report)
    assert message["Reporting-MTA"] == f"dns; {HOST}"
    assert message["Original-Envelope-Id"] == "env+id"
    assert block["Original-Recipient"] == "rfc822;first@else.example"
    assert [part.get_content_type() for part in report.iter_parts()][2] == "text/rfc822-headers"
    pair.ours.wait_for_rest()
    actions = [said for report in pair.ours.reports() for said in list_actions(report) if said[1] == address]
    assert actions == [("delivered", address)]


def test_H1_we_report_what_postfix_will_not(pair: Pair) -> None:
    address = "kept@silent.wild.example"
    pair.ours.send(address, mail=["ENVID=other"], rcpt=["NOTIFY=SUCCESS", "ORCPT=rfc822;first@else.example"])
    report = pair.ours.wait_for_report("relayed", address)
    message, block = status_blocks(report)
    assert message["Reporting-MTA"] == "dns; mx.here.example"
    assert message["Original-Envelope-Id"] == "other"
    assert block["Original-Recipient"] == "rfc822; first@else.example"
    assert block["Remote-MTA"] == "dns; [127.0.0.1]"
    (taken,) = pair.postfix.wait_for(address)
    assert without_our_line(taken) == b"Subject: x\r\n\r\nHi\r\n"


def test_H1_we_report_success_to_a_sender_at_postfix(pair: Pair) -> None:
    sender, account = "ann@required.wild.example", "joe@here.example"
    submit(
        pair.postfix.ports["plain"],
        account,
        content=CONTENTS["plain"],
        sender=sender,
        mail=["RET=HDRS", "ENVID=there"],
        rcpt=["NOTIFY=SUCCESS", "ORCPT=rfc822;first@else.example"],
    )
    (taken,) = pair.postfix.wait_for(sender)
    report = read_message(taken)
    assert list_actions(report) == [("delivered", account)]
    message, block = status_blocks(report)
    assert message["Reporting-MTA"] == "dns; mx.here.example"
    assert message["Original-Envelope-Id"] == "there"
    assert block["Original-Recipient"] == "rfc822; first@else.example"


def test_postfix_tells_our_sender_of_what_it_took_and_cannot_deliver(pair: Pair) -> None:
    address = "nobody@trusting.wild.example"
    pair.ours.send(address, content=CONTENTS["8-bit"])
    report = pair.ours.wait_for_report("failed", address)
    assert str(status_blocks(report)[0]["Reporting-MTA"]) == f"dns; {HOST}"
    file = next(file for file in pair.ours.delivered(SENDER) if f"; {HOST}".encode() in file.read_bytes())
    assert file.read_bytes().startswith(b"Return-Path: <>\n")


# It delivers to us


@pytest.mark.parametrize("name", CONTENTS)
def test_P1_postfix_relays_to_us_octet_for_octet(pair: Pair, name: str) -> None:
    content, account = CONTENTS[name], "joe@here.example"
    before = len(pair.ours.delivered(account))
    submit(pair.postfix.ports["plain"], account, content=content)
    taken = pair.ours.wait_for_deliveries(before + 1, account)
    assert content in [without_postfix_line(content_of(file.read_bytes())) for file in taken]


def test_P1_postfix_relays_smtputf8_to_us(pair: Pair) -> None:
    account, sender = "jörg@here.example", "δοκιμή@plain.wild.example"
    content = "From: <δοκιμή@plain.wild.example>\r\nSubject: Grüße\r\n\r\nGrüße\r\n".encode()
    submit(
        pair.postfix.ports["plain"],
        account,
        content=content,
        sender=sender,
        mail=["SMTPUTF8", "BODY=8BITMIME"],
    )
    (file,) = pair.ours.wait_for_deliveries(1, "j%C3%B6rg@here.example")  # the folder's name is ASCII
    assert file.read_bytes().startswith(f"Return-Path: <{sender}>\n".encode())
    assert without_postfix_line(content_of(file.read_bytes())) == content


def test_postfix_keeps_its_connection_to_us(pair: Pair) -> None:
    account = "joe@here.example"
    before = len(pair.ours.delivered(account))
    for number in range(30):
        submit(pair.postfix.ports["plain"], account, content=b"Subject: %d\r\n\r\nHi\r\n" % number)
    pair.ours.wait_for_deliveries(before + 30, account)
    wait_until(lambda: " conn_use=" in pair.postfix.logged(), "a connection to be used again")
    pair.ours.wait_for_rest()
    assert len(pair.ours.delivered(account)) == before + 30


def read_text(report: EmailMessage) -> str:
    """Return the part of a report that is for people."""
    part = next(iter(report.iter_parts()))
    return str(part.get_content())


def returned(report: EmailMessage) -> bytes:
    """Return what a report brings back, as it stands in the report."""
    return cast("EmailMessage", list(report.iter_parts())[2].get_content()).as_bytes()
