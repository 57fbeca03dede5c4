"""Real mail: what the canonical form does to it is what docs/canonical.md says, and nothing else.

Runs where PAPERPATH_CORPORA names a folder of messages; each kind of change is told with its count.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from paperpath.mail.header import header_section
from paperpath.submission.canonical.form import canonicalize
from paperpath.submission.canonical.refusals import CanonicalError
from paperpath.submission.canonical.section import split_section
from paperpath.submission.canonical.standard_input import drop_mbox_line
from paperpath.submission.canonical.values import BODY, Canonical, What
from tests.fuzz.fuzz_canonical import check_body, check_header
from tests.support.canonical import RULES, SUBMITTED, scan

ADDRESSES = {"from", "sender", "reply-to", "to", "cc", "resent-from", "resent-to", "resent-cc"}
STAMPS = {"date", "message-id", "resent-date", "resent-message-id"}
MIME = {"mime-version", "content-type", "content-transfer-encoding"}
DOCUMENTED = {
    What.ADDED: STAMPS | MIME | {"from", "sender", "resent-from", "bcc"},
    What.REMOVED: {"bcc", "resent-bcc", "return-path"},
    What.EMPTY_REMOVED: ADDRESSES | {"bcc"},
    What.REPLACED: STAMPS,
    What.MERGED: {"to", "cc", "reply-to", "in-reply-to", "references"},
    What.REWRITTEN: ADDRESSES | STAMPS,
    What.COMPLETED: ADDRESSES,
    What.ENCODED: ADDRESSES | {"subject", BODY},
    What.RELABELLED: {"content-transfer-encoding"},
    What.FOLDED: None,
}
REASONS = (
    "554 5.6.0 (At its begin|Behind [^ ]+) the header has a line that is no field",
    "554 5.6.0 [^ ]+: octets above 7F that are no UTF-8",
    "554 5.6.0 [^ ]+ stands 2 times",
    "554 5.6.0 (From|To|Cc|Reply-To): ",
    "550 5.6.7 (From|To|Cc|Reply-To): ",
    "554 5.1.3 [^ ]+: [^ ]+ has a domain of one label",
    "554 5.6.0 A line of the body has more than 998 octets",
)
LENIENT = replace(RULES, is_strict=False)


def read_corpora() -> Iterator[tuple[Path, bytes, bytes]]:
    """Give the files with header and body, as sendmail would hand them in."""
    folder = os.environ.get("PAPERPATH_CORPORA")
    if not folder:
        pytest.skip("PAPERPATH_CORPORA names no folder of messages")
    for file in sorted(Path(folder).rglob("*")):
        if file.is_file():
            octets = re.sub(rb"\r\n|\r|\n", b"\r\n", file.read_bytes().rstrip(b"\r\n") + b"\n")
            message = drop_mbox_line(octets)
            header = header_section(message)
            yield file, header, message[len(header) :].removeprefix(b"\r\n")


def find_reason(error: CanonicalError) -> str:
    """Return why a message is refused; the error itself, if that is no reason to."""
    return next((reason for reason in REASONS if re.match(reason, str(error))), str(error))


def assert_documented(header: bytes, made: Canonical) -> None:
    """Assert that only fields that are told of were changed, and that nothing was done but what may be."""
    changed = {change.field.lower() for change in made.changes}
    for change in made.changes:
        fields = DOCUMENTED[change.what]
        assert fields is None or change.field.lower() in fields, change
    before, after = (
        [field.octets for field in split_section(octets) if field.key.decode() not in changed]
        for octets in (header, made.header)
    )
    assert before == after


@pytest.mark.slow
def test_B26_real_mail_is_changed_as_documented(capsys: pytest.CaptureFixture[str]) -> None:
    changes: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    count = untouched = 0
    for file, header, body in read_corpora():
        count += 1
        facts = scan(header, [body])
        try:
            made = canonicalize(header, facts, SUBMITTED, LENIENT)
        except CanonicalError as error:
            refusals[find_reason(error)] += 1
            continue
        assert_documented(header, made)
        check_header(header, made, international=False)
        written = check_body(header, body, made, 0)
        again = canonicalize(made.header, scan(made.header, [written]), SUBMITTED, LENIENT)
        assert again.header is made.header, file
        assert (again.changes, again.encoder) == ((), None), file
        untouched += made.header is header
        changes.update(f"{change.field.lower()} {change.what}" for change in made.changes)
    with capsys.disabled():
        print(f"\n{count} messages, {untouched} without a change, {refusals.total()} refused")
        print_counts("changes", changes.most_common())
        print_counts("refusals", refusals.most_common())
    assert count > 1000
    assert set(refusals) <= set(REASONS)
    assert refusals.total() < count / 50


def print_counts(title: str, counts: Sequence[tuple[str, int]]) -> None:
    """Print how often what was seen."""
    print(f"{title}:", *(f"{count:6}  {name}" for name, count in counts), sep="\n")
