"""Invariant: any text is aliases, or mistakes with a line that is there; and every alias can be followed."""

from paperpath.accounts.file import parse_accounts
from paperpath.mail.address import Mailbox
from paperpath.maildrop.values import Expanded, Refused, UnsortedRecipient
from paperpath.routing.aliases import Aliases
from paperpath.routing.aliases_text import AliasesTextError, parse_aliases
from paperpath.routing.router import MOST_DEPTH, POSTMASTER_KEY, Router
from paperpath.routing.sorting import MOST_FINAL, judge_recipient, sort_recipient
from tests.fuzz.pace import at_pace
from tests.unit.routing.rules import make_table

MOST_OCTETS = 4096
WORDS = (
    b"joe", b": ", b", ", b"\n ", b"\n", b"#", b'"', b"\\", b"@", b"@here.example", b"@else.example",
    b"owner-",
    b"postmaster", b"[IPv6:::1]", b"[127.0.0.1]", b"+", b"|", b"/", b":include:", b"a: b\nb: a\n", b"\r\n",
    b"joe: joe, x@else.example\n", b"@here.example: joe\n", b"x\xc3\xbc", b"xn--bcher-kva.example",
)  # fmt: skip
_ACCOUNTS = parse_accounts("joe@here.example\ta\n")
_TABLE = make_table()
_MOST_FOLLOWED = 20


def check(octets: bytes) -> None:
    """Read it as the file's text."""
    text = octets.decode("utf-8", "replace")
    at_pace(lambda: check_text(text), len(text), 500)


def check_text(text: str) -> None:
    """Read it; look at what is said about it, or follow what it says."""
    try:
        aliases = parse_aliases(text)
    except AliasesTextError as error:
        check_mistakes(error.mistakes, text.count("\n") + 1)
        return
    found = list(aliases)
    assert len({alias.key for alias in found}) == len(found)
    router = Router(_TABLE, aliases, _ACCOUNTS)
    for alias in found[:_MOST_FOLLOWED]:
        assert alias.targets
        follow(router, aliases, Mailbox(alias.local or "anybody", alias.domain or "here.example"))


def check_mistakes(mistakes: list[tuple[int, str]], lines: int) -> None:
    """Look at what is said about a text."""
    assert mistakes == sorted(mistakes)
    for line, message in mistakes:
        assert 1 <= line <= lines
        assert message.isprintable()


def follow(router: Router, aliases: Aliases, address: Mailbox) -> None:
    """Sort a recipient: it ends in so many others, of which none is expanded further."""
    keys = {alias.key for alias in aliases} | {POSTMASTER_KEY}
    judge_recipient(router, address)
    recipient = UnsortedRecipient(1, "Q", 0, address, address, None, "", "")
    decision = sort_recipient(router, recipient).decision
    if not isinstance(decision, Expanded):
        return
    assert 1 <= len(decision.targets) <= MOST_FINAL
    for target in decision.targets:
        assert len(target.expanded_via) <= MOST_DEPTH + 1
        assert keys.issuperset(target.expanded_via)
        assert len(set(target.expanded_via)) == len(target.expanded_via)
        again = UnsortedRecipient(2, "Q", 0, target.address, address, None, "", "", target.expanded_via)
        end = sort_recipient(router, again).decision
        assert not isinstance(end, Expanded)
        assert not (isinstance(end, Refused) and POSTMASTER_KEY in target.expanded_via)
