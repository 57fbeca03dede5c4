"""Invariant: whatever message and key record say, verifying raises nothing, and our field alone is ours."""

import re

from paperpath.dkim.verification import MOST_SIGNATURES, Verification
from paperpath.local.findings import Findings, put_on_top
from paperpath.mail.authentication_results import FIELD_NAME, claims_to_be_of, results_field
from paperpath.mail.header import find_fields, header_section
from tests.fuzz.pace import at_pace
from tests.fuzz.session import segments
from tests.support.authentication_results import read_results

MOST_OCTETS = 4096
SEPARATOR = b"\x00\x00"  # between the key record and the message
_LINE_END = re.compile(rb"\r\n|[\r\n]")
HOST = "mx.here.example"
WORDS = (
    SEPARATOR, b"\r\n", b"\r\n ", b"\r\n\r\n", b";", b"=", b":", b"(", b")", b'"', b"\\", b"\r", b"\n",
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/simple; d=x.example; s=s; h=from; bh=AAAA; b=AAAA\r\n",
    b"From: a@x.example\r\n", b"a=rsa-sha256", b"a=rsa-sha1", b"l=", b"x=", b"t=", b"i=@x.example",
    b"q=dns/txt",
    b"c=simple/relaxed", b"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", b"t=s:y",
    b"k=rsa; p=", b"h=sha256", b"s=email", b"bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "ü".encode(),
    b"Authentication-Results: mx.here.example; dkim=pass\r\n", b"mx.here.example", b" 1;", b"(x)",
)  # fmt: skip


def check(octets: bytes) -> None:
    """The first octet says how the rest is cut."""
    cut = sum(octets[:1])
    record, _, message = octets[1:].partition(SEPARATOR)
    field = verify(record, message, cut)
    findings = Findings(HOST, field)
    at_pace(lambda: b"".join(put_on_top(iter([message]), findings)), len(message), 20)
    stored = b"".join(put_on_top(iter(segments(message, cut)), findings))
    assert stored == b"".join(put_on_top(iter([message]), findings))
    assert stored.startswith(field)
    lines = b"\r\n".join(_LINE_END.split(stored.removeprefix(field)))  # as the laxest reader sees them
    kept = find_fields(header_section(lines), FIELD_NAME)
    assert not any(claims_to_be_of(value, HOST) for value in kept)


def verify(record: bytes, message: bytes, cut: int) -> bytes:
    """Verify with that record for each key; return the field."""
    header = header_section(message)
    verification = Verification(header, 1_700_000_000)
    for segment in segments(message[len(header) + 2 :], cut):
        verification.add(segment)
    known = dict.fromkeys(verification.key_names, (record,))
    results = verification.conclude(known)
    assert len(results) <= MOST_SIGNATURES
    field = results_field(HOST, results)
    name, read = read_results(field)
    assert name == HOST
    assert [(result.method, result.verdict) for result in read] == [
        (result.method, result.verdict) for result in results
    ]
    return field
