"""Whether a host showed the certificate that its TLSA records mean (RFC 6698 §2, 7671, 7672 §3). Pure.

Called where TLS towards a host is made. Rules:

1. Usage 3 is about the host's own certificate alone: names and dates do not matter.
2. Usage 2 is about one that issued it, which the host must show as well: then every step down from there must
   be in order and in time, and the host's certificate must have a name of the host or of the domain.
3. Usages 0 and 1 mean authorities that the whole world trusts, which for mail there are not: nothing is made
   of them, nor of selectors and digests that nobody knows.
4. Where a key is published by several digests, the strongest counts alone (RFC 7671 §9).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar, cast

from cryptography import x509
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store
from cryptography.x509.verification import VerificationError as ChainError

from paperpath.dns.records import Tlsa
from paperpath.remote.public_key import find_public_key

ISSUER, OWN = 2, 3
_USAGES = (ISSUER, OWN)
_SELECTORS: Mapping[int, Callable[[bytes], bytes]] = MappingProxyType({0: bytes, 1: find_public_key})
_FULL = 0
_DIGESTS = MappingProxyType({1: hashlib.sha256, 2: hashlib.sha512})
"""The greater the number, the stronger."""
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_UNREADABLE = (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


@dataclass(frozen=True, slots=True)
class Pins:
    """What a host's certificate must be. `records`: the usable ones; without any TLS is enough.

    `names`: what the certificate may be for. The first is the one below which the records stand, which the
    host is told (SNI), the others are those of the domain.
    """

    names: tuple[str, ...]
    records: tuple[Tlsa, ...]


def choose_usable(records: Iterable[Tlsa]) -> tuple[Tlsa, ...]:
    """Return the records that count (rules 3 and 4)."""
    usable = [record for record in records if _is_usable(record)]
    strongest: dict[tuple[int, int], int] = {}
    for record in usable:
        key = record.usage, record.selector
        strongest[key] = max(record.matching, strongest.get(key, _FULL))
    return tuple(
        record for record in usable if record.matching in (_FULL, strongest[record.usage, record.selector])
    )


def find_objection(pins: Pins, chain: Sequence[bytes], now: datetime) -> str:
    """Return what is wrong with the certificates that a host showed, its own first; nothing if all is well.

    In plain words, none of which the host chose.
    """
    if not pins.records:
        return ""
    if not chain:
        return "it showed no certificate"
    if any(_means(record, chain[0]) for record in pins.records if record.usage == OWN):
        return ""
    return _find_objection_by_issuer(pins, chain, now)


def _find_objection_by_issuer(pins: Pins, chain: Sequence[bytes], now: datetime) -> str:
    records = [record for record in pins.records if record.usage == ISSUER]
    trusted = [shown for shown in chain[1:] if any(_means(record, shown) for record in records)]
    if not trusted:
        return f"no TLSA record of {pins.names[0]} means a certificate that it showed"
    try:
        own, *others = map(x509.load_der_x509_certificate, chain)
        _verify(own, others, list(map(x509.load_der_x509_certificate, trusted)), now)
        presented = _list_names(own, others)
    except ChainError:
        return f"its certificate does not follow, in order and in time, from a TLSA record of {pins.names[0]}"
    except _UNREADABLE:
        return "it showed certificates that cannot be read"
    if any(_fits(name, wanted) for name in presented for wanted in pins.names):
        return ""
    return f"its certificate is for none of {', '.join(pins.names)}"


def _is_usable(record: Tlsa) -> bool:
    if record.usage not in _USAGES or record.selector not in _SELECTORS:
        return False
    if record.matching == _FULL:
        return bool(record.data)
    digest = _DIGESTS.get(record.matching)
    return digest is not None and len(record.data) == digest().digest_size


def _means(record: Tlsa, certificate: bytes) -> bool:
    """Tell whether a record is about a certificate."""
    try:
        selected = _SELECTORS[record.selector](certificate)
    except ValueError:
        return False
    if record.matching != _FULL:
        selected = _DIGESTS[record.matching](selected).digest()
    return selected == record.data


# Usage 2


def _check_key_usage(policy: Policy, certificate: x509.Certificate, found: x509.KeyUsage | None) -> None:
    """Refuse an issuer that must not issue. Raises: ValueError."""
    if found is not None and not found.key_cert_sign:
        raise ValueError("it may not sign certificates")


# What RFC 5280 wants of every chain the library sees to: signatures, dates, constraints of length and names,
# and that nothing critical is unknown. The rules of the web beyond that are not those of mail.
_OF_ISSUERS = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _check_key_usage)
)
_OF_HOSTS = ExtensionPolicy.permit_all()


def _verify(
    own: x509.Certificate, others: list[x509.Certificate], anchors: list[x509.Certificate], now: datetime
) -> None:
    """See that the anchors vouch for a host's own certificate. Raises: ChainError."""
    policy = PolicyBuilder().store(Store(anchors)).time(now)
    # The verifier for servers would look at names by the rules of the web, which knows no common names.
    policy.extension_policies(ca_policy=_OF_ISSUERS, ee_policy=_OF_HOSTS).build_client_verifier().verify(
        own, others
    )


def _list_names(own: x509.Certificate, others: Iterable[x509.Certificate]) -> list[str]:
    """Return for which names a certificate is; the common name counts where there is no other (§3.2.3)."""
    if alternatives := _find_extension(own, x509.SubjectAlternativeName):
        names = alternatives.get_values_for_type(x509.DNSName)
        if names:
            return names
    if any(_find_extension(other, x509.NameConstraints) for other in others):
        return []  # the library holds no common name to them
    common = own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [attribute.value for attribute in common if isinstance(attribute.value, str)]


def _find_extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    found = (extension.value for extension in certificate.extensions if extension.oid == kind.oid)
    return cast("_Extension | None", next(found, None))


def _fits(presented: str, wanted: str) -> bool:
    """Tell whether a name of a certificate is one that is wanted; `*` stands for the whole first label."""
    presented, wanted = presented.lower().removesuffix("."), wanted.lower()
    if presented.startswith("*."):
        label, dot, rest = wanted.partition(".")
        return bool(label and dot) and rest == presented[2:]
    return presented == wanted
