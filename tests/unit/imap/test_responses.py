"""Responses as octets: what a client can read, whatever is put in."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.imap import responses
from paperpath.imap.commands import SearchReturn, StatusItem
from paperpath.imap.completion import Completion, Condition, no, ok
from paperpath.imap.extensions import Extension
from paperpath.imap.scanner import Scanner


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        (responses.write_completion("a", ok("Done", "READ-ONLY")), b"a OK [READ-ONLY] Done"),
        (responses.write_completion("", Completion(Condition.BYE, "")), b"* BYE BYE"),
        (responses.write_completion("a", no("one\r\ntwo \xfc")), b"a NO one??two ?"),
        (responses.write_capability("IMAP4rev1 IDLE"), b"* CAPABILITY IMAP4rev1 IDLE"),
        (responses.write_id(()), b"* ID NIL"),
        (responses.write_id((("name", 'a"b'),)), b'* ID ("name" "a\\"b")'),
        (responses.write_enabled([Extension.CONDSTORE]), b"* ENABLED CONDSTORE"),
        (responses.write_enabled([]), b"* ENABLED"),
        (responses.write_list(b'"a b"', ["\\HasChildren", "\\Sent"]),
         b'* LIST (\\HasChildren \\Sent) "/" "a b"'),
        (responses.write_list(b'"a"', [], ".", verb="LSUB"), b'* LSUB () "." "a"'),
        (
            responses.write_list(b'"a"', [], child_info=["SUBSCRIBED"]),
            b'* LIST () "/" "a" ("CHILDINFO" ("SUBSCRIBED"))',
        ),
        (
            responses.write_status(
                b'"a"', {StatusItem.MESSAGES: 3, StatusItem.MAILBOXID: "F1", StatusItem.APPENDLIMIT: None}
            ),
            b'* STATUS "a" (MESSAGES 3 MAILBOXID (F1) APPENDLIMIT NIL)',
        ),
        (responses.write_namespace(), b'* NAMESPACE (("" "/")) NIL NIL'),
        (responses.write_quota(b"", {"STORAGE": (10, 512)}), b'* QUOTA "" (STORAGE 10 512)'),
        (responses.write_quota_root(b'"INBOX"', [b""]), b'* QUOTAROOT "INBOX" ""'),
        (responses.write_flags(["\\Seen", "x"]), b"* FLAGS (\\Seen x)"),
        (responses.write_exists(3), b"* 3 EXISTS"),
        (responses.write_recent(0), b"* 0 RECENT"),
        (responses.write_expunge(7), b"* 7 EXPUNGE"),
        (responses.write_vanished([1, 2, 3, 9]), b"* VANISHED 1:3,9"),
        (responses.write_vanished([4], earlier=True), b"* VANISHED (EARLIER) 4"),
        (
            responses.write_fetches([3], {"UID": [b"7"], "FLAGS": [responses.flag_list(["\\Seen"])]}),
            b"* 3 FETCH (UID 7 FLAGS (\\Seen))",
        ),
        (responses.write_search([]), b"* SEARCH"),
        (responses.write_search([2, 1], verb="SORT"), b"* SORT 2 1"),
        (responses.write_search([2], modseq=917), b"* SEARCH 2 (MODSEQ 917)"),
        (
            responses.write_esearch("a", {SearchReturn.MIN: "2", SearchReturn.ALL: "2:4"},
                                    by_uid=True, modseq=5),
            b'* ESEARCH (TAG "a") UID MIN 2 ALL 2:4 MODSEQ 5',
        ),
        (responses.write_esearch('"\\', {SearchReturn.COUNT: "0"}, by_uid=False),
         b'* ESEARCH (TAG "\\"\\\\") COUNT 0'),
        (responses.write_thread("(1 2)(3)"), b"* THREAD (1 2)(3)"),
        (responses.write_thread(""), b"* THREAD"),
    ],
)  # fmt: skip
def test_responses(written, octets):
    assert written == octets + b"\r\n"


@given(st.binary(max_size=30) | st.binary(min_size=1000, max_size=1100))
def test_K14_a_string_comes_back_as_it_was(octets):
    written = responses.write_string(octets)
    literal = re.match(rb"\{(\d+)\}\r\n", written)
    if literal is None:
        assert Scanner(written).string() == octets
    else:
        assert written[literal.end() :] == octets
        assert int(literal[1]) == len(octets)


def test_K14_what_is_not_there_is_NIL_and_literals_are_announced():
    assert responses.write_nstring(None) == b"NIL"
    assert responses.write_nstring(b"") == b'""'
    assert responses.literal_head(5) == b"{5}\r\n"
    assert responses.literal_head(5, binary=True) == b"~{5}\r\n"


def test_K16_a_name_in_utf8_is_quoted_only_where_that_is_on():
    assert responses.write_mailbox("ü".encode(), utf8=True) == '"ü"'.encode()
    assert responses.write_mailbox(b'a"b', utf8=True) == b'"a\\"b"'
    assert responses.write_mailbox(b"&APw-", utf8=False) == b'"&APw-"'


@given(st.text(), st.sampled_from(Condition), st.text())
def test_whatever_is_said_a_completion_is_one_line(text, condition, code):
    written = responses.write_completion("a", Completion(condition, text, code))
    assert written.endswith(b"\r\n")
    assert re.fullmatch(rb"[ -~]+", written[:-2])
