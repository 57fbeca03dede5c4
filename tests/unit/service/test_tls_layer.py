"""The TLS layer: any cut, any end, any nonsense, and no more memory than it says (A-72, A-76, S-8, P6)."""

import ssl
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.service.tls.certificates import Certificate, read_certificate
from paperpath.service.tls.cipher import format_cipher
from paperpath.service.tls.contexts import make_context
from paperpath.service.tls.key_files import read_key_file
from paperpath.service.tls.layer import MOST_PIECE_OCTETS, TlsError, TlsFacts, TlsLayer, TlsState
from tests.support.tls import VERSIONS, TlsClient, make_client_context, one_by_one, whole, write_certificate

ALERT = b"\x15\x03"
PROTOCOL_VERSION, NO_SHARED_CIPHER = 70, 40  # RFC 8446 §6


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    chain, key = write_certificate(tmp_path_factory.mktemp("tls"), "mail.example.org")
    return make_context(Certificate(read_key_file(chain), read_key_file(key), (), None))  # type: ignore[arg-type]


@pytest.fixture
def layer(context: ssl.SSLContext) -> TlsLayer:
    return TlsLayer(lambda name: context)


@pytest.fixture(params=VERSIONS, ids=["1.2", "1.3"])
def client(request: pytest.FixtureRequest) -> TlsClient:
    return TlsClient(make_client_context(request.param), "mail.example.org")


def feed(layer: TlsLayer, segments: Iterable[bytes]) -> None:
    """Have the layer take octets out of which there is nothing to come."""
    for segment in segments:
        assert layer.receive(segment) == b""


@pytest.mark.parametrize("cut", [whole, one_by_one])
def test_plaintext_goes_both_ways_however_it_is_cut(layer, client, cut):
    assert layer.facts is None
    assert client.shake_hands(layer, cut) == b""
    content = bytes(range(256)) * 300
    assert b"".join(map(layer.receive, cut(client.encrypt(content)))) == content
    layer.send(content)
    assert client.decrypt(layer.octets_to_send()) == content
    assert layer.octets_to_send() == b""


def test_plaintext_that_comes_with_the_end_of_the_handshake_is_given(layer, client):
    octets, plaintext = client.hello(), b""
    while octets:
        plaintext = layer.receive(octets)
        client.incoming.write(layer.octets_to_send())
        with suppress(ssl.SSLWantReadError):
            client.ssl_object.do_handshake()
            client.ssl_object.write(b"EHLO x\r\n")
        octets = b"" if plaintext else client.outgoing.read()
    assert plaintext.startswith(b"EHLO x\r\n")


def test_the_facts_of_a_handshake(layer, client):
    client.shake_hands(layer)
    if client.ssl_object.version() == "TLSv1.3":
        assert layer.facts == TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "mail.example.org")
    else:
        cipher = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        assert layer.facts == TlsFacts("TLSv1.2", cipher, "mail.example.org")


@pytest.mark.parametrize(
    ("name", "shown"), [(None, ""), ("a_b-c.example", "a_b-c.example"), ("(a)[b].c d", "?a??b?.c?d")]
)
def test_S6_the_name_in_the_facts_has_nothing_that_could_break_a_field(layer, name, shown):
    TlsClient(name=name).shake_hands(layer)
    assert layer.facts is not None
    assert layer.facts.server_name == shown


@pytest.mark.parametrize(
    ("openssl", "iana"),
    [
        ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
        ("DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
        ("ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("SOMETHING-NEW", "SOMETHING-NEW"),
    ],
)
def test_ciphers_have_the_names_of_IANA(openssl, iana):
    assert format_cipher(openssl) == iana


def test_every_cipher_of_a_context_has_a_name_of_IANA(context):
    assert [cipher for cipher in context.get_ciphers() if "-" in format_cipher(cipher["name"])] == []


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"EHLO client.example\r\n", "what came is not TLS"),
        (b"NOOP\r\nMAIL FROM:<evil@x.example>\r\n", "what came is not TLS"),
        (b"GET / HTTP/1.0\r\n\r\n", "what came is HTTP and not TLS"),
        (b"\0" * 100, "what came is not TLS"),
        (b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", "unexpected message"),
        (b"\x16\x03\x01\xff\xff" + b"\x01" * 20000, "the ClientHello is too long"),
    ],
)
@pytest.mark.parametrize("cut", [whole, one_by_one])
def test_A72_what_is_not_TLS_ends_the_handshake(layer, first, reason, cut):
    with pytest.raises(TlsError, match=rf"^{reason}$"):
        feed(layer, cut(first))
    assert layer.state is TlsState.CLOSED
    assert layer.receive(TlsClient().hello()) == b""
    layer.octets_to_send()
    layer.send(b"220 too late\r\n")
    assert layer.octets_to_send() == b""


@pytest.mark.parametrize(
    "pipelined", [b"NOOP\r\n", b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<u@here.example>\r\n"]
)
def test_A72_commands_in_front_of_a_hello_do_not_come_out_of_it(layer, client, pipelined):
    with pytest.raises(TlsError, match="not TLS"):
        layer.receive(pipelined + client.hello())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_A76_a_hello_of_TLS_1_1_is_answered_with_an_alert(layer):
    context = make_client_context(ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(TlsError, match=r"^unsupported protocol$"):
        layer.receive(TlsClient(context).hello())
    octets = layer.octets_to_send()
    assert octets.startswith(ALERT)
    assert octets[-1] == PROTOCOL_VERSION
    assert layer.octets_to_send() == b""


def test_a_client_without_a_common_cipher_is_told(layer):
    context = make_client_context(ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-SHA:@SECLEVEL=0")
    with pytest.raises(TlsError, match=r"^no shared cipher$"):
        layer.receive(TlsClient(context).hello())
    assert layer.octets_to_send()[-1] == NO_SHARED_CIPHER


def test_the_clients_reason_to_refuse_us_is_told(layer):
    client = TlsClient(ssl.create_default_context(), "mail.example.org")
    with pytest.raises(ssl.SSLCertVerificationError):
        client.shake_hands(layer)
    with pytest.raises(TlsError, match=r"alert unknown ca$"):
        layer.receive(client.outgoing.read())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_handshake_that_stops_anywhere_is_no_session(context, version):
    client = TlsClient(make_client_context(version))
    hello = client.hello()
    for end in range(len(hello)):
        layer = TlsLayer(lambda name: context)
        assert layer.receive(hello[:end]) == b""
        assert (layer.state, layer.facts, layer.octets_to_send()) == (TlsState.HANDSHAKE, None, b"")
        layer.close()
        assert (layer.state, layer.octets_to_send()) == (TlsState.CLOSED, b"")


@given(place=st.integers(0, 400), octet=st.integers(0, 255), cut=st.integers(1, 400))
def test_any_hello_gives_octets_to_send_or_an_error(context, place, octet, cut):
    hello = bytearray(TlsClient(name="mail.example.org").hello())
    hello[place % len(hello)] = octet
    layer = TlsLayer(lambda name: context)
    with suppress(TlsError):
        feed(layer, [bytes(hello[:cut]), bytes(hello[cut:])])


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=10))
def test_any_octets_in_an_open_session_give_no_plaintext(context, segments):
    layer, client = TlsLayer(lambda name: context), TlsClient()
    client.shake_hands(layer)
    with suppress(TlsError):
        feed(layer, segments)


def test_a_record_that_was_changed_ends_the_session_with_an_alert(layer, client):
    client.shake_hands(layer)
    octets = client.encrypt(b"RCPT TO:<u@here.example>\r\n")
    with pytest.raises(TlsError, match=r"^decryption failed or bad record mac$"):
        layer.receive(octets[:-1] + bytes([octets[-1] ^ 1]))
    assert layer.state is TlsState.CLOSED
    assert layer.octets_to_send() != b""


def test_after_the_clients_end_we_may_still_speak(layer, client):
    client.shake_hands(layer)
    assert layer.receive(client.encrypt(b"QUIT\r\n") + client.end()) == b"QUIT\r\n"
    assert layer.state is TlsState.HALF_CLOSED
    layer.send(b"221 Bye\r\n")
    record = layer.octets_to_send()
    assert len(record) > len(b"221 Bye\r\n")
    assert not record.startswith(ALERT)
    layer.close()
    assert (layer.state, bool(layer.octets_to_send())) == (TlsState.CLOSED, True)


def test_our_end_is_told_once_and_what_comes_after_it_is_dropped(layer, client):
    client.shake_hands(layer)
    layer.send(b"421 Bye\r\n")
    layer.close()
    assert client.decrypt(layer.octets_to_send()) == b"421 Bye\r\n"
    assert client.ssl_object.read() == b""  # the end, and not a cut
    assert layer.receive(client.encrypt(b"NOOP\r\n")) == b""
    layer.close()
    assert layer.octets_to_send() == b""


def buffered(layer: TlsLayer) -> int:
    """Return how many octets the layer holds that are not OpenSSL's own."""
    machine = layer._machine
    held = sum(map(len, layer._ready)) + (len(layer._hello.octets) if layer._hello else 0)
    return held + (machine.incoming.pending + machine.outgoing.pending if machine else 0)


def test_P6_nothing_is_held_back_between_records(layer, client):
    client.shake_hands(layer)
    octets = client.encrypt(b"x" * 1_000_000)
    for start in range(0, len(octets), 10_007):
        layer.receive(octets[start : start + 10_007])
        assert buffered(layer) == 0


def test_P6_what_comes_after_the_clients_end_is_not_kept(layer, client):
    client.shake_hands(layer)
    layer.receive(client.end())
    for _ in range(100):
        layer.receive(b"\x17\x03\x03\x40\x00" + bytes(16384))
    layer.receive(bytes(1_000_000))
    assert buffered(layer) == 0
    layer.close()
    layer.receive(bytes(1_000_000))
    assert layer.octets_to_send() is not None
    assert buffered(layer) == 0


def test_P6_a_large_reply_does_not_make_a_bio_grow(layer, client):
    client.shake_hands(layer)
    pending = []
    machine = layer._machine
    assert machine is not None

    class Spy:
        def write(self, octets: bytes) -> None:
            machine.ssl_object.write(octets)
            pending.append(machine.outgoing.pending)

    layer._machine = type(machine)(Spy(), machine.incoming, machine.outgoing)
    layer.send(b"x" * 1_000_000)
    assert max(pending) <= MOST_PIECE_OCTETS + 100
    assert client.decrypt(layer.octets_to_send()) == b"x" * 1_000_000


def test_P6_a_client_that_floods_with_records_of_nothing_is_cut(layer, client):
    client.shake_hands(layer)
    with pytest.raises(TlsError):
        feed(layer, [b"\x16\x03\x03\x00\x00"] * 10_000)


@pytest.mark.parametrize("message_octets", [100_000, 2**17, 2**24 - 1])
def test_P6_a_hello_without_end_is_cut(layer, message_octets):
    message = b"\x01" + message_octets.to_bytes(3)
    record = b"\x16\x03\x01\x10\x00"
    with pytest.raises(TlsError, match="the ClientHello is too long"):
        layer.receive(record + message + bytes(4092))
    assert layer.octets_to_send()[:1] == b"\x15"
    assert layer.state is TlsState.CLOSED
    assert buffered(layer) == 0


def ask_again(tmp_path) -> tuple[TlsLayer, TlsClient]:
    """Bring a handshake to where the server has asked for another hello, with another group."""
    chain, key = write_certificate(tmp_path, "a.example")
    context = make_context(read_certificate(chain, key, datetime.now(UTC)))
    context.set_ecdh_curve("secp384r1")  # no client's first choice
    layer, client = TlsLayer(lambda name: context), TlsClient(name="a.example")
    layer.receive(client.hello())
    client.incoming.write(layer.octets_to_send())
    return layer, client


@pytest.mark.parametrize("cut", [whole, one_by_one])
def test_A75_a_client_that_is_asked_for_another_hello_is_served(tmp_path, cut):
    layer, client = ask_again(tmp_path)
    assert client.shake_hands(layer, cut) == b""
    assert layer.facts is not None
    assert layer.facts.server_name == "a.example"
    assert layer.receive(client.encrypt(b"NOOP\r\n")) == b"NOOP\r\n"


@pytest.mark.parametrize("before", [b"", b"\x14\x03\x03\x00\x01\x01"])
def test_P6_a_second_hello_without_end_is_cut_too(tmp_path, before):
    layer, _ = ask_again(tmp_path)
    with pytest.raises(TlsError, match="the ClientHello is too long"):
        layer.receive(before + b"\x16\x03\x03\x10\x00\x01\x02\x00\x00" + bytes(4092))
    assert layer.octets_to_send()[:1] == b"\x15"
    assert buffered(layer) == 0
