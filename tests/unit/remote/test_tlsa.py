"""TLSA records beside certificates (G-37)."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from paperpath.dns.records import Tlsa
from paperpath.remote.public_key import find_public_key
from paperpath.remote.tlsa import Pins, choose_usable, find_objection

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("mx.x.example", "x.example")
SHA256, SHA512 = bytes(32), bytes(64)


class Certified:
    """A certificate and its key; issued by another one, or by itself."""

    def __init__(
        self,
        name: str,
        issuer: "Certified | None" = None,
        *,
        is_issuer: bool | None = None,
        length: int | None = None,
        days: int = 10,
        also: Sequence[tuple[x509.ExtensionType, bool]] = (),
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = x509.CertificateBuilder(
            (issuer or self).name,
            self.name,
            self.key.public_key(),
            x509.random_serial_number(),
            NOW - timedelta(days=20),
            NOW + timedelta(days=days),
        )
        if is_issuer is not None:
            builder = builder.add_extension(x509.BasicConstraints(is_issuer, length), critical=True)
        for extension, critical in also:
            builder = builder.add_extension(extension, critical)
        signed = builder.sign((issuer or self).key, hashes.SHA256())
        self.octets = signed.public_bytes(serialization.Encoding.DER)


def names(*values: str) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName([x509.DNSName(value) for value in values]), False


def may_sign(*, may: bool) -> tuple[x509.ExtensionType, bool]:
    return x509.KeyUsage(True, False, False, False, False, may, False, False, False), True


ROOT = Certified("root", is_issuer=True)
MIDDLE = Certified("middle", ROOT, is_issuer=True)


def means(certificate: Certified, usage: int = 2) -> Tlsa:
    return Tlsa(usage, 0, 1, hashlib.sha256(certificate.octets).digest())


def objection(*chain: Certified, by: Certified) -> str:
    pins = Pins(NAMES, (means(by),))
    return find_objection(pins, [shown.octets for shown in chain], NOW)


# Usable records


@pytest.mark.parametrize(
    "record",
    [
        Tlsa(0, 0, 1, SHA256),
        Tlsa(1, 1, 1, SHA256),
        Tlsa(4, 1, 1, SHA256),
        Tlsa(255, 1, 1, SHA256),
        Tlsa(3, 2, 1, SHA256),
        Tlsa(3, 1, 3, SHA256),
        Tlsa(3, 1, 1, SHA512),
        Tlsa(3, 1, 2, SHA256),
        Tlsa(3, 1, 1, b""),
        Tlsa(2, 0, 0, b""),
    ],
)
def test_G37_what_cannot_be_met_is_not_usable(record):
    good = Tlsa(3, 1, 1, SHA256)
    assert choose_usable([record]) == ()
    assert choose_usable([record, good]) == (good,)


def test_G37_of_several_digests_the_strongest_counts():
    weak, strong, whole = Tlsa(3, 1, 1, SHA256), Tlsa(3, 1, 2, SHA512), Tlsa(3, 1, 0, b"key")
    others = Tlsa(3, 0, 1, SHA256), Tlsa(2, 1, 1, SHA256)
    assert choose_usable([weak, strong, whole, *others]) == (strong, whole, *others)
    assert choose_usable([weak, whole]) == (weak, whole)
    assert choose_usable([weak, Tlsa(3, 1, 2, b"no digest")]) == (weak,)


# Usage 3


def test_G37_no_other_certificate_than_the_hosts_own_meets_usage_3():
    own, other = Certified("a"), Certified("b")
    pins = Pins(NAMES, (means(other, 3),))
    assert find_objection(pins, [other.octets, own.octets], NOW) == ""
    assert find_objection(pins, [own.octets, other.octets], NOW)
    assert find_objection(pins, [], NOW)


def test_G37_usage_2_is_not_about_the_hosts_own_certificate():
    own = Certified("x", also=[names(*NAMES)])
    assert objection(own, by=own)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["rsa", "ec", "ed25519"],
)
def test_G37_the_key_is_what_the_certificate_has(key):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x" * 64)])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 2**150, NOW, NOW + timedelta(days=1))
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(key, digest).public_bytes(serialization.Encoding.DER)
    expected = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert find_public_key(certificate) == expected
    for end in range(0, certificate.index(expected) + len(expected), 7):
        with pytest.raises(ValueError, match="certificate"):
            find_public_key(certificate[:end])


@given(st.binary(max_size=80))
def test_S12_any_octets_are_a_certificate_that_meets_nothing(octets):
    for chain in ([octets], [ROOT.octets, octets], [octets, ROOT.octets]):
        records = (Tlsa(3, 1, 1, SHA256), Tlsa(2, 1, 1, SHA256), means(ROOT))
        assert find_objection(Pins(NAMES, records), chain, NOW)


# Usage 2


def test_G37_usage_2_is_met_from_any_issuer_that_is_shown():
    own = Certified("x", MIDDLE, also=[names("mx.x.example")])
    assert objection(own, MIDDLE, by=MIDDLE) == ""
    assert objection(own, MIDDLE, ROOT, by=ROOT) == ""
    assert objection(own, ROOT, MIDDLE, by=MIDDLE) == ""


def test_G37_whoever_is_not_shown_vouches_for_nobody():
    own = Certified("x", MIDDLE, also=[names("mx.x.example")])
    assert objection(own, MIDDLE, by=ROOT)
    assert objection(own, ROOT, by=ROOT)  # with a gap
    assert objection(own, Certified("middle", ROOT, is_issuer=True), ROOT, by=ROOT)  # another key


@pytest.mark.parametrize(
    "middle",
    [
        {"is_issuer": False},
        {},
        {"is_issuer": True, "days": -1},
        {"is_issuer": True, "also": [may_sign(may=False)]},
        {
            "is_issuer": True,
            "also": [(x509.NameConstraints([x509.DNSName("good.example")], None), True)],
        },
        {
            "is_issuer": True,
            "also": [(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\5\0"), True)],
        },
    ],
    ids=["no-issuer", "unsaid", "expired", "may-not-sign", "other-names", "unknown"],
)
def test_G37_every_step_must_be_in_order(middle):
    issuer = Certified("middle", ROOT, **middle)
    own = Certified("x", issuer, also=[names("mx.x.example")])
    assert objection(own, issuer, ROOT, by=ROOT)
    assert objection(own, issuer, ROOT, by=issuer)


def test_G37_constraints_that_are_kept_are_none():
    within = x509.NameConstraints([x509.DNSName("x.example")], None)
    issuer = Certified("middle", ROOT, is_issuer=True, length=0, also=[(within, True), may_sign(may=True)])
    own = Certified("x", issuer, also=[names("mx.x.example")])
    assert objection(own, issuer, ROOT, by=ROOT) == ""


def test_G37_a_common_name_evades_no_constraints():
    within = x509.NameConstraints([x509.DNSName("good.example")], None)
    issuer = Certified("middle", ROOT, is_issuer=True, also=[(within, True)])
    assert objection(Certified("mx.x.example", issuer), issuer, ROOT, by=ROOT)


def test_G37_no_more_steps_than_the_issuer_allows():
    root = Certified("root", is_issuer=True, length=0)
    middle = Certified("middle", root, is_issuer=True)
    own = Certified("x", middle, also=[names("mx.x.example")])
    assert objection(own, middle, root, by=root)
    assert objection(own, middle, root, by=middle) == ""


def test_G37_usage_2_is_not_met_out_of_time():
    own = Certified("x", ROOT, days=-1, also=[names("mx.x.example")])
    assert objection(own, ROOT, by=ROOT)


@pytest.mark.parametrize(
    ("common", "alternatives", "is_met"),
    [
        ("else.example", ["mx.x.example"], True),
        ("else.example", ["mx.x.example\0.else.example"], False),
        ("else.example", ["else.example", "X.Example"], True),
        ("else.example", ["*.x.example"], True),
        ("else.example", ["*.example"], True),  # x.example
        ("else.example", ["*.mx.x.example", "*"], False),
        ("else.example", ["m*.x.example", "*x.x.example"], False),
        ("mx.x.example", ["else.example"], False),  # the common name counts where there is no other
        ("mx.x.example", [], True),
        ("*.x.example", [], True),
        ("else.example", [], False),
    ],
)
def test_G37_the_certificate_has_a_name_of_host_or_domain(common, alternatives, is_met):
    own = Certified(common, ROOT, also=[names(*alternatives)] if alternatives else [])
    assert (objection(own, ROOT, by=ROOT) == "") is is_met
