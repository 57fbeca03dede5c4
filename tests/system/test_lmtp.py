"""Mail to a server of LMTP through all programs: each recipient is settled by its own reply (F-14)."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest

from paperpath.testing.sink import Sink, sink_in_thread
from paperpath.testing.sink_options import SinkOptions
from tests.support.installation import program_path, wait_until
from tests.support.remote import list_relay_clients
from tests.support.routed import RoutedInstallation, status_blocks

pytestmark = pytest.mark.slow

DOMAIN = "store.wild.example"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    socket = tmp_path_factory.mktemp("store") / "lmtp"
    with sink_in_thread(SinkOptions(lmtp=True, socket=socket, dsn=False)) as sink:
        yield sink


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, store: Sink) -> Iterator[RoutedInstallation]:
    installation = RoutedInstallation(tmp_path_factory.mktemp("lmtp"), {})
    route = f'[[post_office.route]]\ndomain = "{DOMAIN}"\nvia = "{way_to(store)}"\n\n[remote]\nclients = 1\n'
    installation.file.write_text(installation.file.read_text().replace("[remote]\n", route))
    with installation.up():
        yield installation


def way_to(store: Sink) -> str:
    return f"lmtp://unix:{store.options.socket}"


def at_store(*names: str) -> list[str]:
    return [f"{name}@{DOMAIN}" for name in names]


def count_taken(store: Sink) -> Counter[str]:
    return Counter(recipient.address for taken in store.taken for recipient in taken.recipients)


def clear_queue(ours: RoutedInstallation) -> None:
    """Take out whatever waits, once it is not on its way."""

    def is_clear() -> bool:
        command = [program_path("paperpath"), "queue", "remove", "--all", "--config", str(ours.file)]
        subprocess.run(command, capture_output=True, check=False)
        return ours.books().open == 0

    wait_until(is_clear, "the queue to be empty")


def find_client(ours: RoutedInstallation) -> int:
    (client,) = [pid for pid, parent in list_relay_clients() if parent == ours.pid("smtprcd")]
    return client


def test_F14_one_is_delivered_one_waits_one_comes_back_and_one_is_cut_off(
    ours: RoutedInstallation, store: Sink
) -> None:
    addresses = at_store("joe.t", "452-at-dot", "550-at-dot", "disconnect-at-dot")
    ours.send(*addresses, rcpt=["NOTIFY=SUCCESS,FAILURE"])
    failed = ours.wait_for_report("failed", addresses[2])
    delivered = ours.wait_for_report("delivered", addresses[0])
    wait_until(lambda: store.books.deeds["452-at-dot"] >= 2, "another attempt for who was put off")
    wait_until(lambda: store.books.deeds["disconnect-at-dot"] >= 2, "another attempt for who was cut off")
    assert count_taken(store)[addresses[0]] == 1
    assert store.books.deeds["550-at-dot"] == 1
    assert ours.books().open == 2
    for report, status in ((failed, "5.0.0"), (delivered, "2.0.0")):
        _, block = status_blocks(report)
        assert (block["Status"], block["Remote-MTA"]) == (status, "dns; mx.here.example")
    assert str(store.options.socket) not in failed.as_string()
    listed = ours.ask("queue", "list", "--domain", DOMAIN)
    assert f"452-at-dot@{DOMAIN}, remote to {way_to(store)}" in listed
    assert f"relayed {addresses[0]} at unix:{store.options.socket}" in ours.ask("why", addresses[0])
    assert f"decision   remote {way_to(store)}" in ours.ask("explain", "rcpt", addresses[0])
    assert way_to(store) in ours.ask("queue", "destinations")
    clear_queue(ours)


def test_F14_P4_whoever_has_an_answer_is_settled_while_others_wait_and_gets_no_second_copy(
    ours: RoutedInstallation, store: Sink
) -> None:
    addresses = at_store("joe.w", "slow-2s-at-dot", "ann.w")
    client = find_client(ours)
    ours.send(*addresses)
    wait_until(lambda: ours.books().open == 2, "the first to be settled")
    assert store.books.deeds["slow-2s-at-dot"] == 1
    assert f"recipient={addresses[0]} reply='250 " in ours.output()
    os.kill(client, signal.SIGKILL)
    ours.wait_for_rest()
    assert store.books.deeds["slow-2s-at-dot"] == 2
    assert [count_taken(store)[address] for address in addresses] == [
        1,
        2,
        1,
    ]  # one was under way when it died
