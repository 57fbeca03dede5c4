"""Signatures of messages verified (I-7 to I-10): what passes, what does not, and which verdict it gets."""

import base64
import re
from collections.abc import Mapping, Sequence

import pytest

from paperpath.dkim.public_key import parse_key_record
from paperpath.dkim.verification import MOST_SIGNATURES, Verification
from paperpath.mail.authentication_results import Result
from paperpath.mail.header import header_section
from tests.support.dkim_signer import DOMAIN, MESSAGE, Key, ed25519_key, ed25519_key_of, rsa_key, sign

ARRIVED_S = 1_700_000_000
PASSES = Result("dkim", "pass", "", ())

EXAMPLE = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
EXAMPLE_KEYS = {
    "brisbane._domainkey.football.example.com": [
        b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    ],
    "test._domainkey.football.example.com": [
        b"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
        b"iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
        b"DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
        b"Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
    ],
}


def keys(*known: Key) -> dict[str, list[bytes]]:
    return {key.name: [key.record] for key in known}


def judge(message: bytes, known: Mapping[str, Sequence[bytes] | None], piece: int = 1 << 20) -> list[Result]:
    """Verify a message, whose body comes in pieces."""
    header = header_section(message)
    verification = Verification(header, ARRIVED_S)
    body = message[len(header) + 2 :]
    if verification.wants_body:
        for place in range(0, len(body), piece):
            verification.add(body[place : place + piece])
    return verification.conclude({name: known.get(name, ()) for name in verification.key_names})


def verdicts(message: bytes, known: Mapping[str, Sequence[bytes] | None]) -> list[str]:
    return [result.verdict for result in judge(message, known)]


def test_I8_the_example_of_RFC_8463_passes_with_both_signatures() -> None:
    results = judge(EXAMPLE, EXAMPLE_KEYS, piece=3)
    assert [(result.verdict, result.reason) for result in results] == [("pass", ""), ("pass", "")]
    assert results[0].properties == (
        ("header.d", "football.example.com"),
        ("header.s", "brisbane"),
        ("header.b", "/gCrinpc"),
    )


def test_I8_the_seed_of_RFC_8463_has_the_public_key_of_its_record() -> None:
    key = ed25519_key_of("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    assert key.public == "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    assert verdicts(sign(MESSAGE, key) + MESSAGE, keys(key)) == ["pass"]


@pytest.mark.parametrize("bits", [1024, 2048, pytest.param(4096, marks=pytest.mark.slow)])
def test_I8_keys_of_1024_to_4096_bits_pass(bits: int) -> None:
    key = rsa_key(bits)
    assert verdicts(sign(MESSAGE, key) + MESSAGE, keys(key)) == ["pass"]


def test_I8_a_key_of_768_bits_and_rsa_sha1_never_pass() -> None:
    weak, good = rsa_key(768), rsa_key(1024)
    (result,) = judge(sign(MESSAGE, weak) + MESSAGE, keys(weak))
    assert (result.verdict, result.reason) == ("policy", "a key of 768 bits is not gone by")
    (result,) = judge(sign(MESSAGE, good, changes={"a": "rsa-sha1"}) + MESSAGE, keys(good))
    assert (result.verdict, result.reason) == ("policy", "rsa-sha1 is not gone by")


@pytest.mark.parametrize("forms", ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"])
@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"a \t b\r\n\r\n\r\n", b"no end of line", b" \r\n"])
def test_I10_all_four_canonical_forms_pass(forms: str, body: bytes) -> None:
    message = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    signed = sign(message, ed25519_key(), forms) + message
    assert [r.verdict for r in judge(signed, keys(ed25519_key()), piece=1)] == ["pass"]


def test_I10_relaxed_alone_is_relaxed_for_the_header_and_simple_for_the_body() -> None:
    as_simple = sign(MESSAGE, ed25519_key(), "relaxed/simple")
    body_hash = re.search(rb"bh=([^;]+)", as_simple)
    assert body_hash
    changes = {"c": "relaxed", "bh": body_hash[1].decode()}
    field = sign(MESSAGE, ed25519_key(), "relaxed/simple", changes=changes)
    assert verdicts(field + MESSAGE, keys(ed25519_key())) == ["pass"]


def test_I9_each_signature_is_judged_by_itself() -> None:
    good = sign(MESSAGE, ed25519_key())
    bad = sign(MESSAGE, ed25519_key(), changes={"b": "AAAA"})
    gone = sign(MESSAGE, rsa_key(1024))
    assert verdicts(bad + gone + good + MESSAGE, keys(ed25519_key())) == ["fail", "permerror", "pass"]


def test_I9_unknown_tags_are_passed_over_and_base64_may_be_folded() -> None:
    field = sign(MESSAGE, ed25519_key(), changes={"zz": "x y", "n9_": ""})
    begin, signature = field.rstrip(b"\r\n").rsplit(b"b=", 1)
    folded = begin + b"b= " + b"\r\n\t ".join(re.findall(rb".{1,9}", signature)) + b" \r\n"
    record = ed25519_key().record + b"; zz=1"
    record = re.sub(rb"p=(.{9})", rb"p= \1 \r\n\t", record)
    assert verdicts(folded + MESSAGE, {ed25519_key().name: [record]}) == ["pass"]


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"v": None}, "neutral", "the signature has no v="),
        ({"a": None}, "neutral", "the signature has no a="),
        ({"b": None}, "neutral", "the signature has no b="),
        ({"bh": None}, "neutral", "the signature has no bh="),
        ({"d": None}, "neutral", "the signature has no d="),
        ({"h": None}, "neutral", "the signature has no h="),
        ({"s": None}, "neutral", "the signature has no s="),
        ({"v": "2"}, "neutral", "the signature is of another version"),
        ({"a": "rsa-md5"}, "neutral", "the algorithm is unknown"),
        ({"c": "relaxed/odd"}, "neutral", "the canonical form is unknown"),
        ({"q": "http"}, "neutral", "the key is not in the DNS"),
        ({"d": "a b"}, "neutral", "domain or selector is no name"),
        ({"s": "."}, "neutral", "domain or selector is no name"),
        ({"bh": "?"}, "neutral", "a tag is no base64"),
        ({"l": "-1"}, "neutral", "a tag has no number"),
        ({"x1": "1; x1=2"}, "neutral", "the signature is no list of tags"),
        ({"h": "to:subject"}, "permerror", "From is not signed"),
        ({"i": "@other.example"}, "permerror", "i= is not of the domain"),
        ({"i": "@notsigner.example"}, "permerror", "i= is not of the domain"),
        ({"x": str(ARRIVED_S - 1)}, "permerror", "the signature has expired"),
        ({"t": "9", "x": "9"}, "neutral", "the signature expires before it is made"),
        ({"l": "1"}, "policy", "not all of the body is signed"),
        ({"l": "1000"}, "fail", "the body is not what was signed"),
        ({"bh": base64.b64encode(bytes(32)).decode()}, "fail", "the body is not what was signed"),
    ],
)
def test_I7_what_rules_a_signature_out(changes: dict[str, str | None], verdict: str, reason: str) -> None:
    field = sign(MESSAGE, ed25519_key(), changes=changes)
    (result,) = judge(field + MESSAGE, keys(ed25519_key()))
    assert (result.verdict, result.reason) == (verdict, reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"x": str(ARRIVED_S)},
        {"t": "1", "x": str(ARRIVED_S + 1)},
        {"t": str(ARRIVED_S + 999)},
        {"i": "joe@sub.signer.example"},
        {"i": "@SIGNER.example"},
        {"q": "http:dns/txt"},
        {"l": str(len("Hi, Ann.\r\n"))},
        {"d": "Signer.EXAMPLE"},
    ],
)
def test_I7_what_does_not_rule_it_out(changes: dict[str, str | None]) -> None:
    field = sign(MESSAGE, ed25519_key(), changes=changes)
    assert verdicts(field + MESSAGE, keys(ed25519_key())) == ["pass"]


PUBLIC = ed25519_key().public


@pytest.mark.parametrize(
    ("records", "verdict", "reason"),
    [
        (None, "temperror", "the key cannot be had now"),
        ([], "permerror", "there is no key"),
        (["nonsense"], "permerror", "the key record is none"),
        ([f"k=ed25519; p={PUBLIC}; p={PUBLIC}"], "permerror", "the key record is none"),
        ([f"v=DKIM2; k=ed25519; p={PUBLIC}"], "permerror", "the key record is of another version"),
        ([f"k=ed25519; v=DKIM1; p={PUBLIC}"], "permerror", "the key record is of another version"),
        (["v=DKIM1; k=ed25519; p="], "permerror", "the key is revoked"),
        (["v=DKIM1; k=ed25519"], "permerror", "the key record has no key"),
        (["k=ed25519; p=??"], "permerror", "the key is no base64"),
        (["k=ed25519; p=AAAA"], "permerror", "the key cannot be used"),
        ([f"k=odd; p={PUBLIC}"], "permerror", "the key is of an unknown kind"),
        ([f"k=rsa; p={PUBLIC}"], "permerror", "the key is of another kind"),
        ([f"k=ed25519; h=sha1; p={PUBLIC}"], "permerror", "the key is not for this hash"),
        ([f"k=ed25519; s=other; p={PUBLIC}"], "permerror", "the key is not for mail"),
        ([ed25519_key_of("A" * 43 + "=").record.decode()], "fail", "the signature does not match the header"),
        ([f"k=ed25519; h=sha1 : sha256; s=email:x; t=s; p={PUBLIC}"], "pass", ""),
        ([f"k=ed25519; s=*; g=*; p={PUBLIC}"], "pass", ""),
        ([f"v=DKIM1;k=ed25519;p={PUBLIC};"], "pass", ""),
        ([f"v=DKIM1; k=ed25519; t=y; p={PUBLIC}"], "pass", "the key is for tests"),
        (["v=spf1 -all", f"v=DKIM1; k=ed25519; p={PUBLIC}"], "pass", ""),
    ],
)
def test_I7_what_the_key_record_rules_out(records: list[str] | None, verdict: str, reason: str) -> None:
    field = sign(MESSAGE, ed25519_key())
    known = None if records is None else [record.encode() for record in records]
    (result,) = judge(field + MESSAGE, {ed25519_key().name: known})
    assert (result.verdict, result.reason) == (verdict, reason)


def test_I7_an_identity_below_the_domain_is_ruled_out_by_a_strict_key() -> None:
    field = sign(MESSAGE, ed25519_key(), changes={"i": "@sub.signer.example"})
    (result,) = judge(field + MESSAGE, {ed25519_key().name: [ed25519_key().record + b"; t=s"]})
    assert (result.verdict, result.reason) == (
        "permerror",
        "i= is of another domain, and the key forbids that",
    )


def test_a_key_that_is_no_RSA_key_for_all_it_says_is_no_key() -> None:
    field = sign(MESSAGE, rsa_key(1024))
    for public in (PUBLIC, "AAAA"):
        record = f"v=DKIM1; k=rsa; p={public}".encode()
        assert verdicts(field + MESSAGE, {rsa_key(1024).name: [record]}) == ["permerror"]


def test_a_changed_message_fails_and_a_second_From_is_no_pass() -> None:
    field = sign(MESSAGE, ed25519_key())
    known = keys(ed25519_key())
    assert verdicts(field + MESSAGE.replace(b"Ann", b"Eve"), known) == ["fail"]
    assert verdicts(field + MESSAGE.replace(b"ann@", b"eve@"), known) == ["fail"]
    assert verdicts(field + b"From: eve@evil.example\r\n" + MESSAGE, known) == ["policy"]
    without = MESSAGE.partition(b"\r\n")[2]
    assert verdicts(sign(without, ed25519_key()) + without, known) == ["policy"]
    twice = sign(MESSAGE, ed25519_key(), names=("from", "from", "to"))
    assert verdicts(twice + b"From: eve@evil.example\r\n" + MESSAGE, known) == ["fail"]
    assert verdicts(twice + MESSAGE, known) == ["pass"]


def test_fields_that_are_repeated_are_signed_from_the_bottom() -> None:
    message = b"Comments: one\r\nComments: two\r\n" + MESSAGE
    field = sign(message, ed25519_key(), names=("from", "comments"))
    assert verdicts(field + b"Comments: new\r\n" + message, keys(ed25519_key())) == ["pass"]
    assert verdicts(field + message.replace(b"one", b"other"), keys(ed25519_key())) == ["pass"]
    assert verdicts(field + message.replace(b"two", b"other"), keys(ed25519_key())) == ["fail"]


def test_another_signature_can_be_signed_and_a_field_of_any_name_oftener_than_it_is_there() -> None:
    first = sign(MESSAGE, ed25519_key())
    message = first + MESSAGE
    over = sign(message, rsa_key(1024), names=("from", "dkim-signature", "dkim-signature", "from", "cc"))
    known = keys(ed25519_key(), rsa_key(1024))
    assert verdicts(over + message, known) == ["pass", "pass"]
    assert verdicts(over + b"Cc: eve@evil.example\r\n" + message, known) == ["fail", "pass"]
    assert verdicts(over + first + message, known)[0] == "fail"


def test_I10_of_200_signatures_ten_are_looked_at() -> None:
    fields = [sign(MESSAGE, ed25519_key(), changes={"s": f"s{number}", "b": "AAAA"}) for number in range(200)]
    verification = Verification(header_section(b"".join(fields) + MESSAGE), ARRIVED_S)
    assert verification.key_names == {f"s{number}._domainkey.{DOMAIN}" for number in range(MOST_SIGNATURES)}
    assert verification.unseen == 190
    verification.add(MESSAGE.partition(b"\r\n\r\n")[2])
    assert [result.verdict for result in verification.conclude({})] == ["temperror"] * MOST_SIGNATURES


def test_a_message_without_a_signature_needs_nothing() -> None:
    verification = Verification(header_section(MESSAGE), ARRIVED_S)
    assert not verification.wants_body
    assert not verification.key_names
    assert verification.conclude({}) == [Result("dkim", "none")]


def test_domains_with_U_labels_are_asked_for_and_shown_as_A_labels() -> None:
    field = sign(MESSAGE, ed25519_key(), changes={"d": "bücher.example", "s": "s_1"})
    verification = Verification(field, ARRIVED_S)
    assert verification.key_names == {"s_1._domainkey.xn--bcher-kva.example"}
    verification.add(MESSAGE.partition(b"\r\n\r\n")[2])
    (result,) = verification.conclude({})
    assert result.properties[:2] == (("header.d", "xn--bcher-kva.example"), ("header.s", "s_1"))


def test_a_key_in_the_older_form_is_one_too() -> None:
    """RFC 6376 §3.6.1 means an RSAPublicKey; nearly everybody publishes a SubjectPublicKeyInfo."""
    record = parse_key_record(EXAMPLE_KEYS["test._domainkey.football.example.com"][0])
    inner = record.octets[22:]  # what the bit string of the other has in it
    known = b"p=" + base64.b64encode(inner)
    message = {**EXAMPLE_KEYS, "test._domainkey.football.example.com": [known]}
    assert verdicts(EXAMPLE, message) == ["pass", "pass"]
