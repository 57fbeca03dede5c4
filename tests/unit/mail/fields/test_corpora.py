"""What others wrote, where there is any: fields of real messages, and the cases of isemail (B-18)."""

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from paperpath.mail.fields.addresses import parse_addresses
from paperpath.mail.fields.dates import parse_date
from paperpath.mail.fields.error import FieldError
from paperpath.mail.fields.glance import are_canonical_addresses, is_canonical_date, is_canonical_message_id
from paperpath.mail.header import find_fields, header_section
from tests.fuzz.fuzz_fields import check, check_addresses

_CORPORA = Path(os.environ.get("PAPERPATH_CORPORA", "/nowhere"))
_CASES = _CORPORA.parent / "isemail" / "tests.xml"
_CONTROL_PICTURES = {0x2400 + code: code for code in range(33)}  # how the file writes controls
# Errors elsewhere, but not here: names may lack a domain or end with a dot, and RFC 6532 allows "\\©".
_TAKEN = {"ISEMAIL_ERR_NODOMAIN", "ISEMAIL_ERR_DOT_END", "ISEMAIL_ERR_EXPECTING_QPAIR"}
# Legal elsewhere, but not here: what no envelope takes, and controls.
_REFUSED = re.compile(
    r"ISEMAIL_(?:RFC5322_(?:(?:LABEL|DOMAIN)_TOOLONG|DOMAIN|DOMAINLITERAL|DOMLIT_OBSDTEXT|IPV6_\w+)"
    r"|DEPREC_(?:QP|QTEXT|CTEXT))"
)


def find_values(name: bytes) -> Iterator[bytes]:
    if not _CORPORA.is_dir():
        pytest.skip("PAPERPATH_CORPORA names no folder of messages")
    for file in sorted(_CORPORA.rglob("*")):
        if file.is_file():
            yield from find_fields(header_section(re.sub(rb"\r?\n", b"\r\n", file.read_bytes())), name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [b"from", b"to", b"cc", b"reply-to", b"sender", b"date", b"message-id"])
def test_B18_the_fields_of_real_mail_read_the_same_once_written(name: bytes) -> None:
    for value in find_values(name):
        check(value)


@pytest.mark.slow
def test_B18_real_mail_is_understood() -> None:
    addresses = [value.decode() for value in find_values(b"from") if value.isascii()]
    refused = [text for text in addresses if not is_understood(text)]
    assert len(refused) < len(addresses) / 300, refused
    dates = [value.decode() for value in find_values(b"date") if value.isascii()]
    wrong = [text for text in dates if not is_date(text)]
    assert len(wrong) < len(dates) / 200, wrong


@pytest.mark.slow
def test_most_fields_of_real_mail_are_known_at_a_glance() -> None:
    for name, judge in (
        (b"from", are_canonical_addresses),
        (b"to", are_canonical_addresses),
        (b"date", is_canonical_date),
        (b"message-id", is_canonical_message_id),
    ):
        known = [judge(value) for value in find_values(name)]
        assert known.count(True) > 0.98 * len(known)


def test_B18_the_cases_of_isemail() -> None:
    if not _CASES.is_file():
        pytest.skip("there is no isemail beside PAPERPATH_CORPORA")
    cases = list(ET.parse(_CASES).iter("test"))
    assert len(cases) > 100
    for case in cases:
        address = (case.findtext("address") or "").translate(_CONTROL_PICTURES)
        diagnosis = case.findtext("diagnosis") or ""
        if diagnosis in _TAKEN:
            continue
        is_legal = "_ERR_" not in diagnosis and _REFUSED.fullmatch(diagnosis) is None
        assert is_understood(address) is is_legal, (address, diagnosis)
        check_addresses(address)


def is_understood(text: str) -> bool:
    try:
        parse_addresses(text)
    except FieldError:
        return False
    return True


def is_date(text: str) -> bool:
    try:
        parse_date(text)
    except FieldError:
        return False
    return True
