"""The text of a rules file (L-13)."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperpath.intake.access_text import MOST_MISTAKES, AccessTextError, parse_access


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(AccessTextError) as caught:
        parse_access(text, "rules")
    return caught.value.mistakes


def test_L13_rules_of_every_form_are_read() -> None:
    text = (
        "# heading\n\n 192.0.2.0/24\tprivileged # ours\r\n2001:DB8:0::/32 0\n::ffff:198.51.100.1 deny\n"
        "Mail.Example.org. 2\n.bücher.example normal\n0.0.0.0/0 1\n::/0 null"
    )
    found = [(str(rule.clients), rule.service.value, rule.line) for rule in parse_access(text, "rules")]
    assert found == [
        ("192.0.2.0/24", "privileged", 3),
        ("2001:db8::/32", "null", 4),
        ("198.51.100.1", "deny", 5),
        ("mail.example.org", "privileged", 6),
        (".xn--bcher-kva.example", "normal", 7),
        ("0.0.0.0/0", "normal", 8),
        ("::/0", "null", 9),
    ]


def test_overlapping_ranges_are_no_mistake() -> None:
    assert len(parse_access("192.0.2.0/24 2\n192.0.2.0/25 2\n192.0.2.0 2\n0.0.0.0/0 0", "rules")) == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("192.0.2.1/24 2", 'expected no bits behind the first 24, as in "192.0.2.0/24", got "192.0.2.1/24"'),
        ("2001:db8::1/64 2", 'expected no bits behind the first 64, as in "2001:db8::/64"'),
        ("fe80::%eth0/64 2", "expected an address without a zone"),
        ("fe80::1%eth0 2", "expected an address without a zone"),
        ("192.0.2.0/33 2", 'expected a network such as "192.0.2.0/24"'),
        ("192.0.2.0/255.255.255.0 2", "expected a network such as"),
        ("192.0.2.0/ 2", "expected a network such as"),
        ("192.0.2.0/08 2", "expected a network such as"),
        ("192.0.2 2", "expected a network such as"),
        ("192.0.2.01 2", "expected a network such as"),
        ("192.0.2.1\u0662 2", "expected a network such as"),
        ("1:2:3 2", "expected a network such as"),
        ("[192.0.2.1] 2", 'expected a host such as "mail.example.org"'),
        ("*.example.org 2", 'expected a host such as "mail.example.org"'),
        ("a..b 2", 'expected a host such as "mail.example.org"'),
        (". 2", 'expected a host such as "mail.example.org"'),
        ("192.0.2.1", 'expected "CLIENTS SERVICE", got "192.0.2.1"'),
        ("192.0.2.1 normal 2", 'expected "CLIENTS SERVICE"'),
        ("192.0.2.1 allow", 'expected deny, null, normal or privileged, or a level: 0, 1 or 2, got "allow"'),
        ("192.0.2.1 3", "expected deny, null, normal or privileged"),
        ("192.0.2.1 Deny", "expected deny, null, normal or privileged"),
        ("::ffff:192.0.2.9 2", "expected one rule for each; 192.0.2.9 has one on line 1"),
    ],
)
def test_a_mistake_is_told_with_its_line(line: str, expected: str) -> None:
    [(number, message)] = mistakes(f"192.0.2.9 2\n\n{line}\n")
    assert number == 3
    assert message.startswith(expected)


def test_all_mistakes_are_told_up_to_a_bound() -> None:
    assert [line for line, _ in mistakes("x\n1.2.3.4 2\ny\n")] == [1, 3]
    assert len(mistakes("x\n" * (MOST_MISTAKES + 5))) == MOST_MISTAKES


WORD = st.text(max_size=12) | st.sampled_from(
    ["192.0.2.0/24", "::/0", "\0", "\ud800", ".", "1:2", "%", "0", "deny"]
)


@given(st.lists(st.lists(WORD, max_size=3).map(" ".join), max_size=6).map("\n".join))
@example("\x85 2\n\u2028 2")
def test_S6_any_text_is_rules_or_mistakes_each_with_a_line_of_the_text(text: str) -> None:
    try:
        found = parse_access(text, "rules")
    except AccessTextError as error:
        lines = [line for line, _ in error.mistakes]
    else:
        lines = [rule.line for rule in found if rule.line is not None]
    assert lines == sorted(set(lines))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
