"""The tables [agents.NAME]: each kind has its keys, and a mistake its line and what was expected."""

import pytest

from paperpath.config.agent_name import find_agent_name, is_agent_way, make_agent_way
from tests.unit.config.example import RIGHT, complain, configure

KINDS = "discard, maildir, mbox, program, lmtp"
ROUTE = '[[post_office.route]]\ndomain = "all.example"\nvia = "agent:{}"\n'


@pytest.mark.parametrize(
    "table",
    [
        'kind = "discard"',
        'kind = "maildir"\npath = "/var/mail/archive"',
        'kind = "mbox"\npath = "/var/mail/{account}"',
        'kind = "program"\ncommand = ["/bin/x", "{recipient}"]',
        'kind = "lmtp"\nto = "lmtp://unix:/run/lmtp"',
        'kind = "lmtp"\nto = "lmtp://localhost:24 lmtp://[::1]:24"',
    ],
)
def test_every_kind_is_taken(table: str) -> None:
    configuration = configure(f"{RIGHT}[agents.a_B-9]\n{table}\n{ROUTE.format('a_B-9')}")
    assert configuration.agents["a_B-9"].kind in table
    assert configuration.post_office.route[0].via == "agent:a_B-9"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('[agents."a b"]\nkind = "discard"', '8: agents."a b": expected a name of at most 64 letters'),
        ('[agents.maildir]\nkind = "discard"', "8: agents.maildir: expected a name"),
        (
            '[agents.a]\nkind = "x"',
            f'8: agents.a: expected tables [agents.NAME], each with a kind, one of {KINDS}, got the kind "x"',
        ),
        ("[agents.a]", "8: agents.a: expected tables [agents.NAME], each with a kind"),
        ("[agents]\na = 5", "9: agents.a: expected tables [agents.NAME]"),
        ('[agents.a]\nkind = "maildir"', "8: agents.a.path: missing; expected an absolute path"),
        ('[agents.a]\nkind = "maildir"\npath = "x"', "10: agents.a.path: expected an absolute path"),
        ('[agents.a]\nkind = "maildir"\npath = "/x/../y"', "10: agents.a.path: expected an absolute path"),
        ('[agents.a]\nkind = "discard"\npath = "/x"', "10: agents.a.path: unknown key; expected one of kind"),
        ('[agents.a]\nkind = "lmtp"\nto = "smtp://a:24"', "10: agents.a.to: expected a host such as"),
        ('[agents.a]\nkind = "lmtp"\nto = "lmtp://a:25"', "10: agents.a.to: expected another port"),
        ('[agents.a]\nkind = "program"\ncommand = "x"', "10: agents.a.command: expected a list of arguments"),
        (
            ROUTE.format("gone"),
            "10: post_office.route[0].via: expected an agent that has a table [agents.gone]",
        ),
        (ROUTE.format("a b"), "10: post_office.route[0].via: expected "),
        (ROUTE.format(""), "10: post_office.route[0].via: expected a name"),
        (
            f'{ROUTE.format("a")}user = "x"\npassword_file = "y"\n[agents.a]\nkind = "discard"',
            "11: post_office.route[0].user: expected no user; only hosts",
        ),
    ],
)
def test_a_mistake_has_its_line_and_what_was_expected(text: str, mistake: str) -> None:
    (found,) = complain(f"{RIGHT}{text}\n")
    assert found.startswith(f"paperpath.toml:{mistake}")


def test_a_way_names_its_agent_with_a_recipient_or_without() -> None:
    assert find_agent_name(make_agent_way("a")) == "a"
    assert find_agent_name(make_agent_way("a", '"b c"@d.example')) == "a"
    for via in ("local", "mx", "lmtp://a:24", "|/bin/x", "/x", "forward:a@b.example", "a.example"):
        assert not is_agent_way(via)
        assert find_agent_name(via) == ""
