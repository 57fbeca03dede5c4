"""Encoded words: what is written is ASCII and shows as what it was (B-18, B-25)."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.mail.fields.encoded_words import encode_comment, encode_phrase, encode_words
from paperpath.mail.fields.phrases import quote_phrase
from paperpath.mail.fields.shown_words import decode_words

WORDS = [
    ("plain text, =nothing_ in it?", "plain text, =nothing_ in it?"),
    ("é", "=?utf-8?b?w6k=?="),
    ("Café für alle!", "=?utf-8?q?Caf=C3=A9_f=C3=BCr?= alle!"),
    ("  a  é\tè  b ", "  a  =?utf-8?b?w6kJw6g=?=  b "),
    ("日本語", "=?utf-8?b?5pel5pys6Kqe?="),
    ("=?utf-8?q?a?= é", "=?utf-8?q?a?= =?utf-8?b?IMOp?="),
    ("é =?utf-8?q?a?=", "=?utf-8?b?w6kg?= =?utf-8?q?a?="),
    ("=?utf-8?q?a?= é =?utf-8?q?b?=", "=?utf-8?q?a?= =?utf-8?q?_=C3=A9_?= =?utf-8?q?b?="),
    ("=?utf-8?q?a?= plain é", "=?utf-8?q?a?= plain =?utf-8?b?w6k=?="),
    ("é?=_", "=?utf-8?q?=C3=A9=3F=3D=5F?="),
]
PHRASES = [
    ("Joe Smith", "Joe Smith"),
    ('"Joe Q." Smith', '"Joe Q." Smith'),
    ("Joe é", "Joe =?utf-8?b?w6k=?="),
    ('"Björn B." Berg', "=?utf-8?q?Bj=C3=B6rn_B=2E?= Berg"),
    ('"Ö, \\"Ä\\"" ü', "=?utf-8?b?w5YsICLDhCIgw7w=?="),
    ("=?utf-8?q?a?= é", "=?utf-8?q?a?= =?utf-8?b?IMOp?="),
    ('"é" "" x', '=?utf-8?b?w6k=?= "" x'),
    ("", ""),
]
COMMENTS = [
    ("the boss", "the boss"),
    ("é", "=?utf-8?b?w6k=?="),
    (" a (é)(b ü) \\) ", " a (=?utf-8?b?w6k=?=)(b =?utf-8?b?w7w=?=) \\) "),
    ("é\\)\\\\", "=?utf-8?q?=C3=A9=29=5C?="),
    ("é\\ ", "=?utf-8?b?w6kg?="),
]
SHOWN = [
    ("=?iso-8859-1?Q?a=E9?=", "aé"),
    ("=?ISO-8859-1*en?q?a_b?=", "a b"),
    ("=?utf-8?B?w6k=?=\r\n =?utf-8?b?w6g?= x", "éè x"),
    ("=?utf-8?b?w6k=?==?utf-8?q?=C3=A8?=", "éè"),
    ("=?utf-8?q?=C3?= =?UTF-8?q?=A9?=", "é"),  # one character in two words
    ("a =?utf-8?q?b?= c =?utf-8?q?d?=", "a b c d"),
    ("(=?us-ascii?q?a?=)", "(a)"),
    ("=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
    ("=?koi8-r?b?+cHO?=", "Ыан"),
    ("=?utf-8?q?a=ZZ=?=", "a=ZZ"),
    ("=?utf-8?q?=FF?=", "\ufffd"),
    ("=?utf-8?q?a=0D=0Ab=1B?= \x07", "a\ufffd\ufffdb\ufffd \ufffd"),
    ("=?x-unknown?q?a?=", "=?x-unknown?q?a?="),
    ("=?rot13?q?a?= =?utf-8?q?b?=  =?utf-8?q?c?= =?idna?q?d?=", "=?rot13?q?a?= bc =?idna?q?d?="),
    ("=?utf-7?q?+ImIDkQ-?= =?unicode_escape?q?=5Cx41?=", "=?utf-7?q?+ImIDkQ-?= =?unicode_escape?q?=5Cx41?="),
    ("=?iso-8859-99?q?a?=", "=?iso-8859-99?q?a?="),
    ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
    ("=?utf-8?b?é?=", "=?utf-8?b?é?="),
    ("=?utf-8?x?a?= =? ?= =??q??=", "=?utf-8?x?a?= =? ?= =??q??="),
]


@pytest.mark.parametrize(("text", "encoded"), WORDS)
def test_B25_unstructured_text_is_encoded_where_it_must_be(text: str, encoded: str) -> None:
    assert encode_words(text) == encoded
    assert encode_words(encoded) == encoded
    assert decode_words(encoded) == decode_words(text)


@pytest.mark.parametrize(("phrase", "encoded"), PHRASES)
def test_B18_B25_names_are_encoded_where_they_must_be(phrase: str, encoded: str) -> None:
    assert encode_phrase(phrase) == encoded
    assert encode_phrase(encoded) == encoded


@pytest.mark.parametrize(("comment", "encoded"), COMMENTS)
def test_B18_B25_comments_are_encoded_where_they_must_be(comment: str, encoded: str) -> None:
    assert encode_comment(comment) == encoded
    assert encode_comment(encoded) == encoded


@pytest.mark.parametrize(("text", "shown"), SHOWN)
def test_encoded_words_are_shown(text: str, shown: str) -> None:
    assert decode_words(text) == shown


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Joe Smith", "Joe Smith"),
        (" Joe\t Smith\n", "Joe Smith"),
        ("Joe Q. Smith, Jr.", '"Joe Q. Smith, Jr."'),
        ('the "boss" \\', '"the \\"boss\\" \\\\"'),
        ("Björn", "Björn"),
        ("=?utf-8?q?a?=", '"=?utf-8?q?a?="'),
        ("Joe\x1bSmith\0", "Joe?Smith?"),
        ("", ""),
    ],
)
def test_B12_a_full_name_becomes_a_display_name(text: str, phrase: str) -> None:
    assert quote_phrase(text) == phrase


def test_B22_a_word_too_long_for_any_line_is_encoded() -> None:
    encoded = encode_words(f"x {'y' * 2000} z")
    assert decode_words(encoded) == f"x {'y' * 2000} z"
    assert max(map(len, encoded.split())) <= 75
    assert decode_words(encode_phrase(f'x "{"y, " * 2000}"')) == f"x {'y, ' * 2000}"


SHOWABLE = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
TEXTS = st.text(st.one_of(SHOWABLE, st.sampled_from(" \tab=?_é日"))).filter(lambda text: "=?" not in text)
SOME_ENCODED = st.sampled_from(["=?utf-8?q?x=C3=A9_?=", "=?iso-8859-1?b?6Q==?="])


def check_encoded(encoded: str) -> None:
    assert encoded.isascii()
    for word in re.findall(r"=\?utf-8\?[^ \t]*", encoded):
        assert len(f"Resent-Reply-To: {word}") <= 76  # RFC 2047 §2: what a line may have
        assert "\ufffd" not in decode_words(word)  # no character is in two words (RFC 2047 §5)


@given(TEXTS)
@example("\u00a0 a")
@example("é" * 100)
@example("a é  =")
def test_B25_what_is_encoded_shows_as_what_it_was(text: str) -> None:
    encoded = encode_words(text)
    if "\ufffd" not in text:
        check_encoded(encoded)
    assert decode_words(encoded) == text
    assert encode_words(encoded) == encoded


@given(st.lists(TEXTS | SOME_ENCODED).map(" ".join))
def test_B25_encoded_words_that_were_there_stay(text: str) -> None:
    encoded = encode_words(text)
    assert encoded.isascii()
    assert decode_words(encoded) == decode_words(text)
    assert [word for word in text.split() if word.startswith("=?") and word.isascii()] == [
        word for word in encoded.split() if word in text.split() and word.startswith("=?")
    ]
    assert encode_words(encoded) == encoded


@given(TEXTS)
def test_B25_names_show_as_what_they_were(text: str) -> None:
    text = " ".join(text.split())
    encoded = encode_phrase(quote_phrase(text))
    assert encoded.isascii()
    assert encode_phrase(encoded) == encoded
    if text.isascii() or not text.isprintable():
        return
    assert decode_words(encoded) == text
