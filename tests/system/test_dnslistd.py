"""dnslistd under `paperpath up`, asked by the relay beside it; its files change (L-11, C-11, C-18)."""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from paperpath.config.endpoint import parse_endpoint
from paperpath.config.loader import load_document
from paperpath.dns.answer import Status
from paperpath.dns.channel import Channel
from paperpath.dns.lists import name_entry, parse_client
from paperpath.dns.names import parse_name
from paperpath.dns.records import TXT, A
from paperpath.dns.stream import ask_by_stream
from paperpath.dns.wire import make_question
from paperpath.service.control import ask, control_folder
from tests.support.installation import NO_DNS, Installation, wait_until
from tests.support.own_lists import ask_all, choose_places, make_table, write_lists
from tests.support.wire import Wire

pytestmark = pytest.mark.slow

BAD, GOOD = "bad.lists.example", "good.lists.example"
NOBODY, LISTED, ON_BOTH, COMES_AND_GOES = "127.0.0.10", "127.0.0.11", "127.0.0.12", "127.0.0.13"
LONG = "so " * 300 + "bad"
LISTS = {
    BAD: f"""\
127.0.0.11-127.0.0.12 127.0.0.4 Spam from {{address}}, see http://bad.example
127.0.9.0/24 {LONG}
::1 By IPv6
""",
    GOOD: "127.0.0.12 # a friend\n",
}


def entry(client: str, zone: str = BAD) -> str:
    address = parse_client(client)
    assert address is not None
    return name_entry(address, zone)


@pytest.fixture(scope="module")
def places() -> list[str]:
    return choose_places()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, places: list[str]) -> Iterator[Installation]:
    """Return a relay that asks its own lists, a white one and a black one, by IPv6."""
    lists = f'lists = ["white:{GOOD}", "black:{BAD}"]'
    site = Installation(tmp_path_factory.mktemp("site"), more_relay=lists)
    here = f'"127.0.0.1:{site.port}"'
    text = site.file.read_text().replace(here, f'{here}, "[::1]:{site.port}"')
    text = text.replace(NO_DNS, f'\n[dns]\nservers = ["{places[1]}"]\n')
    # Nothing is remembered, so what a file says is seen at once.
    site.file.write_text(text + make_table(places, LISTS, "ttl_s = 0\nnegative_ttl_s = 0"))
    write_lists(site.folder, LISTS)
    with site.up():
        yield site


def name(site: Installation, client: str, recipient: bytes = b"u@here.example") -> str:
    """Name a recipient as a client with this address; return the reply."""
    with Wire(site.port, host="::1" if ":" in client else "127.0.0.1", source=client) as wire:
        wire.reply()
        for line in (b"EHLO client.example", b"MAIL FROM:<a@else.example>"):
            assert wire.ask(line).startswith(b"250")
        return wire.ask(b"RCPT TO:<" + recipient + b">").decode()


@pytest.mark.parametrize(
    ("client", "reply"),
    [
        (NOBODY, "250 "),
        (
            LISTED,
            "550 5.7.1 Mail from 127.0.0.11 is refused: Spam from 127.0.0.11, see http://bad.example\r\n",
        ),
        (ON_BOTH, "250 "),
        ("127.0.9.9", "550 5.7.1 Mail from 127.0.9.9 is refused: so so so "),
        ("::1", "550 5.7.1 Mail from ::1 is refused: By IPv6\r\n"),
    ],
)
def test_C11_C18_C20_L11_the_relay_asks_its_own_lists(site: Installation, client: str, reply: str) -> None:
    assert name(site, client).startswith(reply)
    assert name(site, client, b"postmaster@here.example").startswith("250 ")


def test_C22_L11_they_pass_their_tests(site: Installation) -> None:
    told = [f"list={zone} ipv4=good ipv6=good" for zone in LISTS]
    wait_until(lambda: all(line in site.output() for line in told), "both to be tested")


def test_L11_udp_and_tcp_of_both_families_say_the_same(site: Installation, places: list[str]) -> None:
    parsed = parse_name(entry(LISTED))
    assert parsed is not None
    question = make_question(parsed, A)

    async def ask_four_ways() -> list[tuple[str, ...]]:
        said = []
        for endpoint in map(parse_endpoint, places):
            channel = Channel(endpoint, Random(1))
            said += [await channel.ask(question), await ask_by_stream(endpoint, question, 7)]
            channel.close()
        return [reading.answer.records for reading in said]

    assert asyncio.run(ask_four_ways()) == [("127.0.0.4",)] * 4


def test_L11_a_long_reason_comes_whole(site: Installation, places: list[str]) -> None:
    for place in places:
        (answer,) = ask_all(place, [entry("127.0.9.9")], TXT)
        assert answer.records == (LONG.encode(),)


def test_other_zones_are_refused_and_names_of_no_address_are_not_there(
    site: Installation, places: list[str]
) -> None:
    other, missing, unlisted = ask_all(places[0], ["example.org", f"x.{BAD}", entry(NOBODY)], A)
    assert other.status is Status.FAILED
    assert "REFUSED" in other.detail
    assert missing.status is Status.NXDOMAIN
    assert unlisted.status is Status.NODATA


def test_an_operator_is_told_what_they_say(site: Installation) -> None:
    told = site.run("lists", "check", "--config", str(site.file), LISTED)
    assert f"white:{GOOD}: not listed" in told
    assert f"black:{BAD}: listed 127.0.0.4 'Spam from 127.0.0.11, see http://bad.example'" in told
    assert f"decision by black:{BAD}" in told


def test_P9_L11_a_replaced_file_is_in_force_and_a_broken_one_is_not(site: Installation) -> None:
    assert name(site, COMES_AND_GOES).startswith("250 ")
    write_lists(site.folder, {BAD: LISTS[BAD] + COMES_AND_GOES})
    wait_until(lambda: name(site, COMES_AND_GOES).startswith("550 "), "the new list")
    write_lists(site.folder, {BAD: f"{COMES_AND_GOES}\n127.0.0.0/8\n"})
    wait_until(
        lambda: f"{BAD}:2: expected a range without 127.0.0.1" in site.output(), "the mistake to be told"
    )
    assert name(site, COMES_AND_GOES).startswith("550 ")
    assert name(site, LISTED).startswith("550 ")
    assert read_metrics(site)["paperpath_dnslist_broken"] == {BAD: 1, GOOD: 0}
    write_lists(site.folder, {BAD: LISTS[BAD]})
    wait_until(lambda: name(site, COMES_AND_GOES).startswith("250 "), "the old list anew")
    metrics = read_metrics(site)
    assert metrics["paperpath_dnslist_broken"] == {BAD: 0, GOOD: 0}
    assert metrics["paperpath_dnslist_entries"] == {BAD: 3, GOOD: 1}
    assert metrics["paperpath_dnslist_answers"][BAD] > 0


def read_metrics(site: Installation) -> dict[str, dict[str, float]]:
    """Return what dnslistd counts, by name and zone."""
    folder = control_folder(load_document(site.file).configuration)
    families = ask(folder, "dnslistd", "metrics")["families"]
    return {
        family["name"]: {sample["labels"].get("zone", ""): sample["value"] for sample in family["samples"]}
        for family in families
    }
