"""Mail to other hosts through all programs: by exchangers and routes, past failures, deaths and reloads."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import apsw
import pytest

from paperpath.config.endpoint import Endpoint
from paperpath.config.loader import load_configuration
from paperpath.mail.address import parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.maildrop.opening import open_maildrop
from paperpath.maildrop.values import NewMessage
from paperpath.remote.mta_sts.policy import Mode, StsPolicy
from paperpath.remote.mta_sts.store import PolicyStore, StoredPolicy
from paperpath.service.log import open_log
from paperpath.testing.nameserver import Nameserver
from paperpath.testing.sink import sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import PATIENCE_S, find_free_port, wait_until
from tests.support.remote import SENDER, RemoteInstallation, list_relay_clients

pytestmark = pytest.mark.slow

ROUTED_PORT = find_free_port()
CLIENT = Client("192.0.2.1", 40000, "client.example", "ESMTP")
DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture(scope="module")
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as server:
        yield server


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, nameserver: Nameserver) -> Iterator[RemoteInstallation]:
    """One running installation; each test has domains and addresses of its own."""
    routes = f"""
[[post_office.route]]
domain = "routed.wild.example"
via = "smtp://127.0.0.1:{ROUTED_PORT}"

[[post_office.route]]
domain = "listed.wild.example"
via = ["smtp://127.0.0.1:{find_free_port()}", "smtp://127.0.0.1:{ROUTED_PORT}"]
"""
    installation = RemoteInstallation(tmp_path_factory.mktemp("shared"), nameserver, routes=routes)
    with installation.up():
        yield installation


def is_away(installation: RemoteInstallation, domain: str) -> bool:
    """Tell whether a contact of a destination has failed."""
    return any(one["failures"] for one in installation.summary(domain))


# The ways


def test_G1_P1_mail_goes_to_the_exchanger_octet_for_octet(shared: RemoteInstallation) -> None:
    shared.publish("alias.wild.example CNAME real.wild.example.")
    shared.publish_host("real.wild.example", "127.0.0.2")
    content = "Subject: x\r\n\r\n.dot\r\n" + "long " * 150 + "\r\n"
    with shared.host("127.0.0.2") as sink:
        shared.send("joe@alias.wild.example", "mary@alias.wild.example", content=content)
        assert sink.books.wait_for_messages(1, 20)
    (taken,) = sink.taken
    assert [one.address for one in taken.recipients] == ["joe@alias.wild.example", "mary@alias.wild.example"]
    assert (taken.sender, taken.hello) == ("u@here.example", "mx.here.example")
    assert taken.content.startswith(b"Received: ")
    assert taken.content.endswith(content.encode())
    assert sink.violations == []
    wait_until(lambda: shared.books().open == 0, "the delivery to be settled")


@pytest.mark.parametrize("domain", ["routed.wild.example", "listed.wild.example"])
def test_G10_a_route_goes_before_the_DNS(shared: RemoteInstallation, domain: str) -> None:
    with sink_in_thread(SinkOptions(listen=(Endpoint("127.0.0.1", ROUTED_PORT),))) as sink:
        shared.send(f"joe@{domain}")
        assert sink.books.wait_for_messages(1, 20)
    assert [query for query in shared.nameserver.queries if domain in query.name] == []


@pytest.mark.parametrize(
    ("name", "lines", "status"),
    [
        ("missing", "", "5.1.2"),
        ("null", "null.wild.example MX 0 .", "5.1.10"),
        ("self", "self.wild.example MX 10 mx.here.example.\nmx.here.example A 127.0.0.9", "5.4.6"),
        ("nowhere", "nowhere.wild.example MX 10 none.nowhere.wild.example.", "5.4.4"),
    ],
)
def test_G3_G4_G8_G10_mail_for_nobody_goes_back(
    shared: RemoteInstallation, name: str, lines: str, status: str
) -> None:
    recipient = f"joe@{name}.wild.example"
    shared.publish(lines)
    with shared.host("127.0.0.9") as ourselves:
        shared.send(recipient)
        report = shared.wait_for_bounce(recipient)
    assert f"Status: {status}" in report
    assert ourselves.books.connections == 0


@pytest.mark.parametrize("trouble", ["servfail", "timeout"])
def test_G3_a_DNS_that_is_away_lets_mail_wait(shared: RemoteInstallation, trouble: str) -> None:
    domain = f"{trouble}.wild.example"
    shared.publish(f"{domain} MX !{trouble}\n{domain} A 127.0.0.3")
    with shared.host("127.0.0.3") as itself:
        shared.send(f"joe@{domain}")
        wait_until(lambda: [one for one in shared.summary(domain) if one["failures"] > 1], "two attempts")
        (summary,) = shared.summary(domain)
        shared.remove("--domain", domain)
    assert "4.4.3" in summary["reason"]
    assert itself.books.connections == 0


def test_G36_mail_waits_for_an_exchanger_that_is_not_what_its_records_say(
    shared: RemoteInstallation,
) -> None:
    domain = "dane.wild.example"
    shared.publish_host(domain, "127.0.0.66")
    records = f"_{shared.remote_port}._tcp.mx.{domain}"
    shared.publish(
        f"{domain} !secure\nmx.{domain} !secure\n{records} !secure\n{records} TLSA 3 1 1 {'00' * 32}"
    )
    with shared.host("127.0.0.66", SinkOptions(tls=True)) as sink:
        shared.send(f"joe@{domain}")
        wait_until(lambda: [one for one in shared.summary(domain) if one["failures"] > 1], "two attempts")
        (summary,) = shared.summary(domain)
        shared.remove("--domain", domain)
    assert f"4.7.5 mx.{domain}: TLS failed: no TLSA record of mx.{domain} means" in summary["reason"]
    assert (sink.books.connections > 1, sink.books.transactions) == (True, 0)


def test_G2_a_domain_whose_exchanger_is_away_is_not_contacted_itself(shared: RemoteInstallation) -> None:
    domain = "own.wild.example"
    shared.publish(f"{domain} A 127.0.0.3")
    shared.publish_host(domain, "127.0.0.5")
    with shared.host("127.0.0.3") as itself:
        shared.send(f"joe@{domain}")
        wait_until(lambda: [one for one in shared.summary(domain) if one["failures"] > 1], "two attempts")
        shared.remove("--domain", domain)
    assert itself.books.connections == 0


def test_G39_M18_a_policy_that_is_kept_holds_while_the_DNS_does_not_tell(shared: RemoteInstallation) -> None:
    domain = "sts.wild.example"
    policy = StsPolicy(Mode.ENFORCE, 86400, ("other.wild.example",))
    store = PolicyStore(load_configuration(shared.file).mta_sts_folder, open_log("test"))
    store.keep(StoredPolicy(domain, "1", time.time_ns() // 1000, policy))
    shared.publish(f"_mta-sts.{domain} !servfail")
    shared.publish_host(domain, "127.0.0.66")
    with shared.host("127.0.0.66") as sink:
        shared.send(f"joe@{domain}")
        wait_until(lambda: [one for one in shared.summary(domain) if one["failures"]], "an attempt")
        (summary,) = shared.summary(domain)
        shared.remove("--domain", domain)
    assert f"The MTA-STS policy of {domain} does not name mx.{domain}" in summary["reason"]
    assert sink.books.connections == 0


def test_G6_all_addresses_are_tried_within_one_attempt(shared: RemoteInstallation) -> None:
    domain = "several.wild.example"
    shared.publish_host(domain, "127.0.0.61", "127.0.0.62", "127.0.0.63")
    with shared.host("127.0.0.62", SinkOptions(greeting="421")), shared.host("127.0.0.63") as sink:
        shared.send(f"joe@{domain}")
        assert sink.books.wait_for_messages(1, 20)
    wait_until(lambda: not shared.rows(domain), "the delivery to be settled")


def test_G29_each_recipient_has_its_own_end(shared: RemoteInstallation) -> None:
    domain = "mixed.wild.example"
    shared.publish_host(domain, "127.0.0.64")
    with shared.host("127.0.0.64") as sink:
        shared.send(*(f"{name}@{domain}" for name in ("joe", "450", "550")))
        report = shared.wait_for_bounce(f"550@{domain}")
        wait_until(lambda: [row["attempts"] for row in shared.rows(domain)] > [1], "a second attempt")
    assert "Action: failed" in report
    assert Counter(one.address for taken in sink.taken for one in taken.recipients) == {f"joe@{domain}": 1}
    assert [row["address"] for row in shared.rows(domain)] == [f"450@{domain}"]
    shared.remove("--domain", domain)


# Destinations that are away


def test_G13_C12_a_dead_destination_is_tried_once_in_an_interval(shared: RemoteInstallation) -> None:
    domain = "dead.wild.example"
    smtprcd = shared.pid("smtprcd")
    shared.publish_host(domain, "127.0.0.7")
    with shared.host("127.0.0.7", SinkOptions(greeting="421")) as sink:
        shared.send(f"first@{domain}")
        wait_until(lambda: [one for one in shared.summary(domain) if one["failures"]], "it to be suspended")
        shared.send_each([(f"r{number}@{domain}",) for number in range(50)])
        failures, before = shared.summary(domain)[0]["failures"], sink.books.connections
        wait_until(lambda: shared.summary(domain)[0]["failures"] >= failures + 3, "more attempts")
        attempts = sink.books.connections - before  # looked at first, for to ask takes time as well
        (summary,) = shared.summary(domain)
        assert attempts <= summary["failures"] - failures + 2
        rows = shared.rows(domain)
        assert len(rows) == 51
        assert {row["last_reply"] for row in rows} == {""}  # not one row was written
    assert "421" in summary["reason"]
    assert "suspended until" in shared.ask("queue", "summary")
    assert f"smtprcd {domain} cannot be reached" in shared.ask("why", f"first@{domain}")
    with shared.host("127.0.0.7") as sink:
        shared.ask("queue", "retry", "--domain", domain)
        assert sink.books.wait_for_messages(51, 20)
    assert sink.books.surplus == 0
    wait_until(lambda: not shared.rows(domain), "the deliveries to be settled")
    assert shared.pid("smtprcd") == smtprcd


def test_G15_P6_stalled_destinations_hold_up_nobody_else(shared: RemoteInstallation) -> None:
    shared.publish_host("fast.wild.example", "127.0.0.8")
    for number in range(20):
        shared.publish_host(f"s{number}.stalled.wild.example", "127.0.0.10")
    with (
        shared.host("127.0.0.8") as fast,
        shared.host("127.0.0.10", SinkOptions(greeting="stall", stall_s=60)) as stalled,
    ):
        shared.send_each([(f"r{number}@s{number % 20}.stalled.wild.example",) for number in range(100)])
        wait_until(lambda: stalled.books.connections >= 20, "all stalled ones to be contacted")
        begun_s = time.monotonic()
        shared.send("joe@fast.wild.example")
        assert fast.books.wait_for_messages(1, 20)
        assert time.monotonic() - begun_s < 2.0
    shared.remove("--all")


# The operator


def test_C11_an_operator_sends_mail_another_way(shared: RemoteInstallation) -> None:
    domain = "moved.wild.example"
    shared.publish_host(domain, "127.0.0.11")
    shared.send(f"joe@{domain}")
    wait_until(lambda: [one for one in shared.summary(domain) if one["failures"]], "it to be suspended")
    with sink_in_thread() as sink:
        shared.ask("queue", "reroute", f"smtp://127.0.0.1:{sink.port}", "--domain", domain)
        assert sink.books.wait_for_messages(1, 20)
    assert sink.taken[0].recipients[0].address == f"joe@{domain}"


# Deaths


def test_P2_nothing_is_lost_when_relay_clients_and_their_daemon_are_killed(
    shared: RemoteInstallation,
) -> None:
    domain = "killed.wild.example"
    shared.publish_host(domain, "127.0.0.12")
    count = 200
    with shared.host("127.0.0.12") as sink:
        before = set(shared.relay_clients())
        assert before
        for number in range(count):
            if number == count // 4:
                os.kill(shared.relay_clients()[0], signal.SIGKILL)
            if number == count // 2:
                orphans = set(shared.relay_clients())
                shared.kill("smtprcd")
            shared.send(
                f"r{number}@{domain}", f"slow-20ms+{number}@{domain}", content=f"Subject: {number}\r\n"
            )
        wait_until(lambda: not shared.rows(domain), "all mail to be delivered")
        taken = Counter(one.address for taken in sink.taken for one in taken.recipients)
    assert len(taken) == 2 * count
    assert sum(taken.values()) - 2 * count <= 2 * 100  # what was on its way, twice
    wait_until(lambda: not orphans & {pid for pid, _ in list_relay_clients()}, "the orphans to end")


def test_P2_G16_mail_on_its_way_is_finished_at_the_end_and_age_is_kept(
    tmp_path: Path, nameserver: Nameserver
) -> None:
    installation = RemoteInstallation(tmp_path, nameserver)
    installation.publish_host("slow.wild.example", "127.0.0.13")
    installation.publish_host("away.wild.example", "127.0.0.14")
    with installation.host("127.0.0.13") as sink:
        with installation.up():
            installation.send("joe@away.wild.example")
            wait_until(
                lambda: [one for one in installation.summary("away.wild.example") if one["failures"]],
                "an attempt to fail",
            )
            (row,) = installation.rows("away.wild.example")
            installation.send("slow-1s-at-dot@slow.wild.example")
            wait_until(lambda: sink.books.transactions, "a transaction to begin")
            clients = set(installation.relay_clients())
        assert sink.books.messages == 1
    assert not clients & {pid for pid, _ in list_relay_clients()}
    assert installation.rows("slow.wild.example") == []
    (kept,) = installation.rows("away.wild.example")
    assert kept["arrived_us"] == row["arrived_us"]
    failures = installation.summary("away.wild.example")[0]["failures"]
    assert failures >= 1
    with installation.up():
        wait_until(
            lambda: installation.summary("away.wild.example")[0]["failures"] > failures,
            "it to be tried again",
        )
        with installation.host("127.0.0.14") as sink:
            assert sink.books.wait_for_messages(1, 20)


def test_X9_mail_is_given_up_by_an_attempt_after_its_time_only(
    tmp_path: Path, nameserver: Nameserver
) -> None:
    limit_s = 2.0
    installation = RemoteInstallation(
        tmp_path,
        nameserver,
        remote="schedule = { first_s = 600.0, factor = 1.0, most_s = 600.0 }",
        more=f"[delivery]\ngive_up_after_s = {limit_s}\nmost_reports_per_minute = 1000",
    )
    alive, dead = "alive.wild.example", "gone.wild.example"
    installation.publish_host(alive, "127.0.0.15")
    installation.publish_host(dead, "127.0.0.16")
    with installation.up():
        installation.send(f"first@{alive}", f"first@{dead}")
        for domain in (alive, dead):
            wait_until(partial(is_away, installation, domain), f"{domain} to be suspended")
        installation.send_each([(f"r{number}@{alive}", f"r{number}@{dead}") for number in range(100)])
        wait_until(lambda: len(installation.rows(alive)) == 101, "all mail to be sorted")
        newest_us = max(row["arrived_us"] for row in installation.rows(alive))
        wait_until(lambda: time.time() - newest_us / 1e6 > limit_s, "the time to be over")
        assert len(installation.rows(dead)) == 101  # nobody was given up for its age alone
        with installation.host("127.0.0.15") as sink:
            installation.ask("queue", "retry", "--domain", alive)
            assert sink.books.wait_for_messages(101, 20)
        installation.ask("queue", "retry", "--recipient", f"first@{dead}")
        wait_until(lambda: not installation.rows(dead), "all to be given up with one attempt")
        wait_until(lambda: installation.books().open == 0, "the reports to be delivered")
    reports = [file.read_text(errors="replace") for file in installation.delivered()]
    assert len(reports) == 101
    assert not [report for report in reports if alive in report.partition("Subject:")[0]]


def test_X9_what_waited_while_all_was_off_for_six_days_is_delivered_and_not_given_up(
    tmp_path: Path, nameserver: Nameserver
) -> None:
    count, domain = 1000, "back.wild.example"
    installation = RemoteInstallation(tmp_path, nameserver)  # and gives up after five days
    installation.publish_host(domain, "127.0.0.18")
    asyncio.run(accept_long_ago(installation, [f"r{number}@{domain}" for number in range(count)], 6 * DAY_US))
    with installation.host("127.0.0.18") as sink, installation.up():
        assert sink.books.wait_for_messages(count, 60)
        wait_until(lambda: not installation.rows(domain), "all to be settled")  # reports of delay may wait
    books = installation.books()
    assert (books.accepted, books.relayed, books.failed) == (count, count, 0)


async def accept_long_ago(installation: RemoteInstallation, recipients: list[str], age_us: int) -> None:
    """Put a message for each recipient into the queue, as if it had come that long ago."""
    arrived_us = time.time_ns() // 1000 - age_us
    configuration = load_configuration(installation.file)
    async with open_maildrop(configuration, "smtprd") as maildrop:
        for recipient in recipients:
            queue_id = maildrop.new_queue_id(arrived_us)
            writer = maildrop.new_content(queue_id)
            writer.write(b"Subject: old\r\n\r\nHi\r\n")
            envelope = Envelope(parse_mailbox(SENDER), (Recipient(parse_mailbox(recipient)),), CLIENT)
            await maildrop.accept(NewMessage(queue_id, envelope, await writer.finish(), arrived_us))


def test_smtprcd_ends_with_the_reason_where_it_cannot_read_who_is_suspended(
    tmp_path: Path, nameserver: Nameserver
) -> None:
    installation = RemoteInstallation(tmp_path, nameserver)
    asyncio.run(accept_long_ago(installation, [], 0))  # which makes the queue
    with closing(apsw.Connection(str(tmp_path / "data" / "maildrop" / "queue.db"))) as queue:
        queue.execute("ALTER TABLE destination RENAME TO lost")
    with installation.start("smtprcd") as process:
        assert process.wait(PATIENCE_S) == os.EX_IOERR
    assert "no such table: destination" in installation.output()
    assert "Traceback" not in installation.output()


# The configuration


def test_a_reload_changes_routes_and_limits(tmp_path: Path, nameserver: Nameserver) -> None:
    installation = RemoteInstallation(tmp_path, nameserver)
    domain = "reloaded.wild.example"
    installation.publish_host(domain, "127.0.0.17")
    with installation.up(), installation.host("127.0.0.17") as by_exchanger, sink_in_thread() as by_route:
        installation.send(f"joe@{domain}")
        assert by_exchanger.books.wait_for_messages(1, 20)
        route = f'[[post_office.route]]\ndomain = "{domain}"\nvia = "smtp://127.0.0.1:{by_route.port}"\n'
        installation.configure(routes=route, remote="messages_per_connection = 1\nmost_connections = 1")
        installation.ask("reload")
        installation.send_each([(f"r{number}@{domain}",) for number in range(5)])
        assert by_route.books.wait_for_messages(5, 20)
        assert by_route.books.connections == 5
    assert by_exchanger.books.messages == 1
