"""rbldnsd as a list of clients, black and white, for both families (C-11, C-16, C-18, C-20, C-22)."""

from collections.abc import Iterator

import pytest

from tests.support.installation import NO_DNS, Installation, wait_until
from tests.support.rbldnsd import running_rbldnsd
from tests.support.wire import Wire

pytestmark = [pytest.mark.interop, pytest.mark.slow]

NOBODY, LISTED, WHITELISTED, IN_NETWORK = "127.0.0.10", "127.0.0.11", "127.0.0.12", "127.0.3.77"
DATA = {
    "bad4": """\
$SOA 3000 ns.bad.example hostmaster.bad.example 0 600 300 86400 60
:127.0.0.2:Spam from $, see http://bad.example
127.0.0.2
127.0.0.11
127.0.0.12
127.0.3.0/24 :127.0.0.4:A network of those
""",
    "bad6": """\
:127.0.0.2:Spam by IPv6
::ffff:7f00:2/128
::1/128
""",
    "good4": ":127.0.0.9:A friend\n127.0.0.2\n127.0.0.12\n",
    "wild4": ":127.0.0.2:Everybody\n0.0.0.0/0\n",
}
ZONES = (
    "bad.example:ip4set:bad4",
    "bad.example:ip6trie:bad6",
    "good.example:ip4set:good4",
    "wild.example:ip4set:wild4",
)


@pytest.fixture(scope="module")
def rbldnsd() -> Iterator[str]:
    """Run it; return where it answers."""
    with running_rbldnsd(DATA, ZONES) as server:
        yield server


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory, rbldnsd: str) -> Iterator[Installation]:
    lists = 'lists = ["black:wild.example", "white:good.example", "black:bad.example"]'
    relay = Installation(tmp_path_factory.mktemp("relay"), more_relay=lists)
    here = f'"127.0.0.1:{relay.port}"'
    text = relay.file.read_text().replace(here, f'{here}, "[::1]:{relay.port}"')
    relay.file.write_text(text.replace(NO_DNS, f'\n[dns]\nservers = ["{rbldnsd}"]\n'))
    with relay.up():
        yield relay


def name(relay: Installation, client: str, recipient: bytes = b"u@here.example") -> str:
    """Name a recipient as a client with this address; return the reply."""
    with Wire(relay.port, host="::1" if ":" in client else "127.0.0.1", source=client) as wire:
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
        (IN_NETWORK, "550 5.7.1 Mail from 127.0.3.77 is refused: A network of those\r\n"),
        (WHITELISTED, "250 "),
        ("::1", "550 5.7.1 Mail from ::1 is refused: Spam by IPv6\r\n"),
    ],
)
def test_C11_C16_C18_C20_rbldnsd_is_asked(relay: Installation, client: str, reply: str) -> None:
    assert name(relay, client).startswith(reply)
    assert name(relay, client, b"postmaster@here.example").startswith("250 ")


def test_C22_a_zone_of_everybody_is_ignored(relay: Installation) -> None:
    tested = "warning client list tested list=wild.example"
    wait_until(lambda: tested in relay.output(), "the list to be tested, which starts with the program")
    assert name(relay, NOBODY).startswith("250 ")
