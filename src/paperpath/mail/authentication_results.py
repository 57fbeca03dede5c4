"""The Authentication-Results field: written, and told apart by who wrote it (RFC 8601).

For local delivery, which puts ours on top of a message and takes off whatever claims to be ours. What of a
field of ours comes from elsewhere, such as a domain out of a signature, is a token or a quoted string, of
ASCII and bounded, so no field can be ended or begun by it.
"""

import re
from collections.abc import Iterator, Sequence

from paperpath.mail.domain import domain_key
from paperpath.mail.value import value

FIELD_NAME = b"authentication-results"
_MOST_CHARACTERS = 255
_MOST_COLUMNS = 78
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+"  # RFC 2045 §5.1  # noqa: S105 - no secret
_PLAIN = re.compile(rf"{_TOKEN}(@[A-Za-z0-9.-]+)?")
_UNPRINTABLE = re.compile(r"[^ -~]")
_ESCAPED = re.compile(r'["\\]')
_MARK = re.compile(r'[()";]|\\.?|[^()";\\]+', re.DOTALL)
_BLANKS = re.compile(r"[\x00-\x20\x7f]+")


@value
class Result:
    """What one method found: its verdict, why if that needs a word, and by which properties of the message.

    A property is a name as it is registered, such as `header.d`, and what stands there.
    """

    method: str
    verdict: str
    reason: str = ""
    properties: tuple[tuple[str, str], ...] = ()


def results_field(authserv_id: str, results: Sequence[Result], remark: str = "") -> bytes:
    """Write the field, line ends CRLF; `remark` is for people, and without parentheses.

    Without results it says that nothing was looked at.
    """
    statements = [list(_write(result)) for result in results] or [["none"]]
    if remark:
        statements[-1].append(f"({remark})")
    lines = [f"Authentication-Results: {authserv_id}"]
    for words in statements:
        lines[-1] += ";"
        lines.append("")
        for word in words:
            if lines[-1] and len(lines[-1]) + len(word) >= _MOST_COLUMNS:
                lines.append("")
            lines[-1] += f" {word}"
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def auth_result(account: str) -> Result:
    """Return the result of a login, which is what let the message in (RFC 4954)."""
    return Result("auth", "pass", "", (("smtp.auth", account),) if _PLAIN.fullmatch(account) else ())


def claims_to_be_of(field_value: bytes, authserv_id: str) -> bool:
    """Tell whether a field, of which this is behind the colon, bears an authserv-id (RFC 8601 §5).

    It does if any of the ways reads it so in which programs may read it: comments and blanks within the name
    passed over, quotes, U-labels, a version behind. One that nobody can read bears every name that is in it.
    """
    wanted = domain_key(authserv_id)
    text = field_value.decode("utf-8", "replace")
    beginning = _read_beginning(text)
    if beginning is None:
        return wanted in text.lower()
    words = [word for word in _BLANKS.split(beginning) if word]
    names = {*words[:1], "".join(words), "".join(words[:-1])}
    return any(domain_key(name) == wanted for name in names)


def _write(result: Result) -> Iterator[str]:
    """Write a result, in words between which a line may be folded."""
    yield f"{result.method}={result.verdict}"
    if result.reason:
        yield f"reason={_write_value(result.reason)}"
    for name, text in result.properties:
        yield f"{name}={_write_value(text)}"


def _write_value(text: str) -> str:
    shown = _UNPRINTABLE.sub("?", text[:_MOST_CHARACTERS])
    return shown if _PLAIN.fullmatch(shown) else '"' + _ESCAPED.sub(r"\\\g<0>", shown) + '"'


def _read_beginning(text: str) -> str | None:
    """Return what is before the first semicolon, without quotes, and with blanks for comments.

    `None` where a comment or a quoted string is not closed.
    """
    pieces: list[str] = []
    depth, is_quoted = 0, False
    for match in _MARK.finditer(text):
        mark = match[0]
        if not is_quoted and mark in ("(", ")"):
            depth = max(0, depth + (1 if mark == "(" else -1))
            pieces.append(" ")
        elif depth:
            continue
        elif mark == '"':
            is_quoted = not is_quoted
        elif mark == ";" and not is_quoted:
            break
        else:
            pieces.append(mark[1:] if mark.startswith("\\") else mark)
    return None if depth or is_quoted else "".join(pieces)
