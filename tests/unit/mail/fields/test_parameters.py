"""Parameters with any value, as Python's own reader of mail understands them (J-19, RFC 2231)."""

from email import message_from_bytes
from email.policy import compat32, default
from email.utils import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.fields.folding import fold_pieces
from paperpath.mail.fields.parameters import write_parameter


def write(value: str) -> bytes:
    return fold_pieces(b"Content-Disposition", [" attachment;", *write_parameter("filename", value)])


@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        ("a.txt", [' filename="a.txt"']),
        ("", [' filename=""']),
        ('a "b" \\ c', [' filename="a \\"b\\" \\\\ c"']),
        ('ü ".txt', [" filename*=utf-8''%C3%BC%20%22.txt"]),
        ("x'*%", [' filename="x\'*%"']),
        ("ü'*%", [" filename*=utf-8''%C3%BC%27%2A%25"]),
    ],
)
def test_J19_short_values(value: str, pieces: list[str]) -> None:
    assert write_parameter("filename", value) == pieces


def test_J19_long_values_are_cut_between_characters() -> None:
    *others, last = write_parameter("filename", "ü" * 20)
    assert others == [" filename*0*=utf-8''" + "%C3%BC" * 8 + ";", " filename*1*=" + "%C3%BC" * 8 + ";"]
    assert last == " filename*2*=" + "%C3%BC" * 4


@given(
    st.text(
        st.characters(blacklist_categories=["Cc", "Cs"], blacklist_characters="\u2028\u2029"), max_size=300
    )
)
def test_J19_whatever_a_file_is_called_its_name_arrives(value: str) -> None:
    field = write(value)
    assert field.isascii()
    assert max(map(len, field.split(b"\r\n"))) <= 78
    message = message_from_bytes(field + b"\r\n", policy=compat32)
    assert message.keys() == ["Content-Disposition"]
    # That reader wants it stripped, and takes quotes and angle brackets off a text without its quotes, too.
    assert message.get_filename("") in (value.strip(), unquote(value).strip())


def test_J19_both_readers_of_python_agree() -> None:
    field = write('ü ".txt')
    assert message_from_bytes(field + b"\r\n", policy=default).get_filename() == 'ü ".txt'
