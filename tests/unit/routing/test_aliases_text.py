"""The text of an aliases file (E-7, L-4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import Mailbox, format_mailbox
from paperpath.routing.aliases import Alias
from paperpath.routing.aliases_text import AliasesTextError, parse_aliases

TEXT = """\
# people
joe: joe, x@else.example   # himself, and a copy

"a b"@Here.Example.: "c d",
    f+g@bücher.example
# still the same entry
\tlast@[ipv6:0:0:0:0:0:0:0:1]
@here.example : rest
a#b:\tc#d\r
"""


def test_comments_quotes_and_lines_that_go_on() -> None:
    found = [
        (alias.key, [str(target) for target in alias.targets], alias.line) for alias in parse_aliases(TEXT)
    ]
    assert found == [
        ("joe", ["joe", "x@else.example"], 2),
        ('"a b"@here.example', ['"c d"', "f+g@bücher.example", "last@[ipv6:0:0:0:0:0:0:0:1]"], 4),
        ("@here.example", ["rest"], 8),
        ("a#b", ["c#d"], 9),
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a: agent:b c", "1: expected a comma"),
        ('a: "agent:b c"', "1: expected a name of at most 64 letters"),
        (
            "a: agent:maildir",
            '1: expected a name of at most 64 letters, digits, - and _, other than "maildir"',
        ),
        ("a: agent:box@here.example", "1: expected a name of at most 64 letters"),
        ("a: |prog", '1: expected the absolute path of a program, got "|prog"'),
        ('a: joe,\n "|prog -x"', "2: expected the absolute path of a program"),
        ('a: "|"', "1: expected the absolute path of a program"),
        ('a: "|/p \'x"', "1: expected a program and its arguments: No closing quotation"),
        ('a: "|/p\\\tx"', "1: the local part is malformed"),
        ("a: /var/../a", "1: expected the absolute path of a file, or of a folder with a slash at its end"),
        ("a: /", "1: expected the absolute path of a file"),
        (f"a: /{256 * 'x'}", "1: expected at most 256 octets that can be printed"),
        ("a: :include:list", '1: expected the absolute path of a list, got ":include:list"'),
        ("a: :include:", "1: expected the absolute path of a list"),
        ("a joe", '1: expected "NAME: TARGET, TARGET", got "a joe"'),
        ("a:", '1: expected "NAME: TARGET, TARGET", got no target'),
        (" a: b", "1: expected an entry above the line that continues it"),
        ("a: b\na: c", '2: expected one entry for each name; "a" has one on line 1'),
        ('a: b\n"a": c', "2: expected one entry for each name"),
        ("a@B.example: b\na@b.example.: c", "2: expected one entry for each name"),
        ("a: b c", '1: expected a comma, got "c"'),
        ("a: b,,c", '1: expected a target, got ",c"'),
        ('a: "b', "1: expected an end of the quotes"),
        ("a: b@", "1: expected an address, got"),
        ("a: <b@c.example>", "1: expected an address, got"),
        ("@: b", "1: expected a domain behind the @"),
        ("a\x1b[2J: b", "1: expected "),
    ],
)
def test_L4_a_mistake_has_its_line(text: str, mistake: str) -> None:
    with pytest.raises(AliasesTextError) as found:
        parse_aliases(text)
    assert str(found.value).startswith(mistake)
    assert str(found.value).isprintable()


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(AliasesTextError) as found:
        parse_aliases("a: |x\nb: c\nb c\n  |y, z\nd:\n")
    assert [line for line, _ in found.value.mistakes] == [1, 3, 4, 5]


def test_no_more_than_10000_targets() -> None:
    members = [f"u{number}@else.example" for number in range(10_001)]
    assert len(next(iter(parse_aliases("a: " + ",\n ".join(members[1:])))).targets) == 10_000
    with pytest.raises(AliasesTextError, match="at most 10000 targets, got 10001"):
        parse_aliases("a: " + ",\n ".join(members))


LOCALS = st.text(st.characters(min_codepoint=33, max_codepoint=0x24F), min_size=1, max_size=9)
SPACED = LOCALS.map(lambda text: "".join(letter if letter.isprintable() else " " for letter in text))
DOMAINS = st.sampled_from(["here.example", "[127.0.0.1]", "xn--bcher-kva.example"])
NAMES = st.tuples(SPACED | st.just(""), DOMAINS | st.just(""))
TARGETS = st.builds(Mailbox, SPACED, DOMAINS | st.just(""))
GAPS = st.sampled_from([", ", ",", ",\n ", " ,\t", ", # more\n# and more\n\n  "])


@given(st.dictionaries(NAMES, st.lists(TARGETS, min_size=1, unique=True)), GAPS)
def test_what_was_written_is_read(entries: dict[tuple[str, str], list[Mailbox]], gap: str) -> None:
    wanted = {}
    lines = []
    for (local, domain), targets in entries.items():
        alias = Alias(local, domain, tuple(targets))
        bare_target = any(format_mailbox(target).removeprefix('"')[:1] in ("|", "/") for target in targets)
        if not (local or domain) or alias.key in wanted or bare_target or _is_include(targets):
            continue
        wanted[alias.key] = alias.targets
        lines.append(
            f"{_write(alias.key)}: {gap.join(_write(format_mailbox(target)) for target in targets)}\n"
        )
    assert {alias.key: alias.targets for alias in parse_aliases("".join(lines))} == wanted


def _write(text: str) -> str:
    """Quote what would begin a comment."""
    local, at, domain = text.partition("@")
    return f'"{local}"{at}{domain}' if text.startswith("#") else text


def _is_include(targets: list[Mailbox]) -> bool:
    return any(target.local.startswith(":include:") for target in targets)
