"""A reader of Authentication-Results after the grammar of RFC 8601 §2.2, with nothing of the product's."""

import re

from paperpath.mail.authentication_results import Result

_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_VALUE = r"""("(?:[^"\\]|\\.)*"|[^\s()<>,;:\\"/\[\]?=]+)"""
_STATEMENT = re.compile(
    r"([a-z]+)=([a-z]+)(?: reason=" + _VALUE + r")?((?: [a-z]+\.[a-z]+=" + _VALUE + r")*)"
)
_PROPERTY = re.compile(r"([a-z]+\.[a-z]+)=" + _VALUE)


def read_results(field: bytes) -> tuple[str, list[Result]]:
    """Return the name and the results of a field; of one that is no legal field an AssertionError tells."""
    text = field.decode("ascii")
    assert text.startswith("Authentication-Results: ")
    assert text.endswith("\r\n")
    lines = text[:-2].split("\r\n")
    assert all(re.fullmatch(r"[ -~]+", line) for line in lines), text
    assert all(re.match(r" +[^ ]", line) for line in lines[1:]), text
    body = "".join(lines).partition(": ")[2]
    name, *statements = _split(body)
    statements[-1] = (
        _COMMENT.sub("", statements[-1]).strip() if statements[-1].endswith(")") else statements[-1]
    )
    if statements == ["none"]:
        return name, []
    return name, [_read(statement) for statement in statements]


def _split(body: str) -> list[str]:
    """Split at semicolons outside of quotes."""
    return [piece.strip() for piece in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^;"])+', body)]


def _read(statement: str) -> Result:
    match = _STATEMENT.fullmatch(statement)
    assert match, statement
    properties = tuple((name, _unquote(value)) for name, value in _PROPERTY.findall(match[4]))
    return Result(match[1], match[2], _unquote(match[3] or ""), properties)


def _unquote(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
