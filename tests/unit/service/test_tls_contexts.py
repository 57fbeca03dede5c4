"""Which certificate a client gets, and what every connection is like (A-75, A-76, S-8)."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from paperpath.service.tls.certificates import read_certificate
from paperpath.service.tls.contexts import ContextSet, ServerTls
from paperpath.service.tls.key_files import CertificateError
from paperpath.service.tls.layer import TlsError, TlsLayer, TlsState
from tests.support.tls import VERSIONS, TlsClient, make_client_context, write_certificate
from tests.unit.config.example import RIGHT, configure

NOW = datetime.now(UTC)
NAMES = [
    ("first.example",),
    ("mail.example.org", "*.example.org"),
    ("*.example.org", "a.b.example.org"),
    ("xn--mller-kva.example",),
]
CHOICES = {
    "first.example": 0,
    "mail.example.org": 1,
    "MAIL.Example.ORG": 1,
    "other.example.org": 1,  # of two, the first
    "a.b.example.org": 2,
    "c.b.example.org": 0,  # a wildcard is for one label
    "example.org": 0,
    "xn--mller-kva.example": 3,
    "nonsense.example": 0,
    "org": 0,
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    return [write_certificate(tmp_path_factory.mktemp("tls"), *names) for names in NAMES]


@pytest.fixture(scope="module")
def contexts(files: list[tuple[Path, Path]]) -> ContextSet:
    return ContextSet([read_certificate(chain, key, NOW) for chain, key in files])


def served(layer: TlsLayer, client: TlsClient) -> bytes:
    """Return the certificate that a client gets."""
    client.shake_hands(layer)
    return client.ssl_object.getpeercert(binary_form=True) or b""


def leaf(file: Path) -> bytes:
    _, begin, rest = file.read_text().partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(begin + body + end)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "index"), [*CHOICES.items(), (None, 0)])
def test_A75_a_client_gets_the_certificate_of_the_name_it_asks_for_or_the_first(
    contexts, files, version, name, index
):
    client = TlsClient(make_client_context(version), name)
    assert served(TlsLayer(contexts.choose), client) == leaf(files[index][0])


@pytest.mark.parametrize(
    "name",
    [b"", b".", b"*", b"*.example.org.", b"..", b"../../etc/passwd", b"/etc/passwd", b"\0", b"\xff" * 255],
)
def test_S8_no_name_does_more_than_choose_a_certificate(contexts, name):
    assert contexts.choose(name) in {contexts.choose(b"first.example"), contexts.choose(b"x.example.org")}


def test_a_name_at_the_root_is_the_same_name(contexts):
    assert contexts.choose(b"mail.example.org.") is contexts.choose(b"mail.example.org")


def test_A75_a_name_beyond_ASCII_goes_on_to_the_first_certificate(contexts, capfd):
    hello = TlsClient(name="aa.example").hello().replace(b"aa.example", b"\xff\n.example")
    layer = TlsLayer(contexts.choose)
    layer.receive(hello)
    assert layer.octets_to_send().startswith(b"\x16\x03\x03")  # a handshake record, and no alert
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("version", VERSIONS)
def test_A75_no_client_is_asked_for_a_certificate(contexts, version, files):
    context = make_client_context(version)
    context.load_cert_chain(*files[0])
    client, layer = TlsClient(context), TlsLayer(contexts.choose)
    client.shake_hands(layer)
    assert layer.state is TlsState.OPEN
    assert contexts.choose(b"").verify_mode is ssl.CERT_NONE


def test_A76_S8_what_every_context_is_like(contexts):
    for name in (b"", b"mail.example.org", b"a.b.example.org"):
        context = contexts.choose(name)
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.options & ssl.OP_NO_COMPRESSION
        assert context.options & ssl.OP_NO_RENEGOTIATION
        assert context.num_tickets == 0


def test_no_session_is_kept_in_memory(contexts):
    for version in VERSIONS:
        layers = [TlsLayer(contexts.choose) for _ in range(3)]
        for layer in layers:
            client = TlsClient(make_client_context(version))
            client.shake_hands(layer)
            layer.receive(client.end())
            layer.close()
    assert contexts.choose(b"").session_stats()["number"] == 0


def configuration(folder: Path, *files: tuple[Path, Path]):
    tables = "".join(f'[[tls.certificate]]\nchain = "{chain}"\nkey = "{key}"\n' for chain, key in files)
    return configure(f'data = "{folder}"\n{RIGHT}{tables}')


def test_A70_certificates_come_from_the_configuration_in_its_order(files, tmp_path):
    tls = ServerTls(configuration(tmp_path, *files[:2]))
    assert tls.self_signed is None
    assert served(tls.make_layer(), TlsClient()) == leaf(files[0][0])
    assert served(tls.make_layer(), TlsClient(name="x.example.org")) == leaf(files[1][0])
    assert not (tmp_path / "tls").exists()


def test_A70_without_certificates_the_host_has_one_of_its_own_and_it_is_told(tmp_path):
    tls = ServerTls(configuration(tmp_path))
    file = tmp_path / "tls" / "self-signed.pem"
    assert tls.self_signed == file
    assert served(tls.make_layer(), TlsClient(name="x.example")) == leaf(file)


def test_a_reload_is_for_new_connections_and_sessions_under_way_keep_theirs(files, tmp_path):
    tls = ServerTls(configuration(tmp_path, files[0]))
    before, client = tls.make_layer(), TlsClient()
    tls.reload(configuration(tmp_path, files[1]))
    assert served(before, client) == leaf(files[0][0])
    assert before.receive(client.encrypt(b"NOOP\r\n")) == b"NOOP\r\n"
    assert served(tls.make_layer(), TlsClient()) == leaf(files[1][0])


def test_a_broken_reload_keeps_the_old_certificates_and_tells(files, tmp_path):
    tls = ServerTls(configuration(tmp_path))
    for broken in [(files[0], (files[1][0], files[0][1])), ((tmp_path, tmp_path),)]:
        with pytest.raises(CertificateError):
            tls.reload(configuration(tmp_path, *broken))
        assert tls.self_signed is not None
        assert served(tls.make_layer(), TlsClient()) != leaf(files[0][0])
    tls.reload(configuration(tmp_path, *files))
    assert tls.self_signed is None


CLIENTS = trustme.CA()


def asking(folder: Path, file: tuple[Path, Path]) -> ServerTls:
    """Serve one certificate, and ask clients for theirs."""
    CLIENTS.cert_pem.write_to_path(str(folder / "clients.pem"))
    text = f'[submission]\nclient_ca = "{folder / "clients.pem"}"\n'
    tables = f'[[tls.certificate]]\nchain = "{file[0]}"\nkey = "{file[1]}"\n'
    return ServerTls(configure(f'data = "{folder}"\n{RIGHT}{text}{tables}'), asks_clients=True)


def addresses(layer: TlsLayer) -> tuple[str, ...]:
    """Return what a certificate of the client says, if it showed one."""
    assert layer.facts is not None
    return layer.facts.client_addresses


@pytest.mark.parametrize("version", VERSIONS)
def test_clients_may_show_a_certificate_where_somebody_vouches_for_them(files, tmp_path, version):
    tls = asking(tmp_path, files[0])
    for names in ((), ("host.example",), ("a@here.example", "host.example", "b@here.example")):
        context, layer = make_client_context(version), tls.make_layer()
        if names:
            CLIENTS.issue_cert(*names).configure_cert(context)
        TlsClient(context).shake_hands(layer)
        assert addresses(layer) == tuple(name for name in names if "@" in name)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_that_nobody_vouches_for_ends_the_handshake(files, tmp_path, version):
    tls, context = asking(tmp_path, files[0]), make_client_context(version)
    trustme.CA().issue_cert("a@here.example").configure_cert(context)
    layer = tls.make_layer()
    with pytest.raises((TlsError, ssl.SSLError), match=r"certificate verify failed|ALERT|unable to get"):
        TlsClient(context).shake_hands(layer)
    assert layer.facts is None


def test_A75_where_mail_of_others_is_taken_nobody_is_asked(files, tmp_path):
    asked = asking(tmp_path, files[0])
    text = f'[submission]\nclient_ca = "{tmp_path / "clients.pem"}"\n'
    relay = ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}{text}'))
    context = make_client_context()
    CLIENTS.issue_cert("a@here.example").configure_cert(context)
    layers = [asked.make_layer(), relay.make_layer()]
    for layer in layers:
        TlsClient(context).shake_hands(layer)
    assert [addresses(layer) for layer in layers] == [("a@here.example",), ()]


def test_a_file_of_authorities_that_is_none_is_named(files, tmp_path):
    asking(tmp_path, files[0])
    (tmp_path / "clients.pem").write_text("nonsense")
    text = f'[submission]\nclient_ca = "{tmp_path / "clients.pem"}"\n'
    with pytest.raises(CertificateError, match=r"clients\.pem: expected certificates in PEM form"):
        ServerTls(configure(f'data = "{tmp_path}"\n{RIGHT}{text}'), asks_clients=True)
