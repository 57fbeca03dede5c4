"""How what is forwarded for an account travels: pure.

The post office replaces such a recipient by those to whom it is forwarded, and by itself where it is kept or
an agent gets it, like an alias whose key names the account. smtpld makes a new message for each address, with
`Delivered-To:` on top: that is what ends a circle, however many hosts it goes through (requirement E-16). The
rule of an account is looked up again for each of them, so none is forwarded by a rule that is no more.

What comes back in a circle fails for all of them, and one report of that is enough: one speaks for the
account, and the keys of the others say that they are silent. Who speaks is settled when the rule is applied,
for the rule may be another one when they are delivered.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from paperpath.accounts.file import Account, Accounts
from paperpath.config.agent_name import is_agent_way, make_agent_way
from paperpath.config.agent_tables import AgentTable, DiscardTable
from paperpath.mail.address import AddressError, Mailbox, format_mailbox, parse_mailbox
from paperpath.routing.steps import Successor

_KEY = "forward "
_SILENT_KEY = "also forward "
_WAY = "forward:"


def make_forward_key(account: Account) -> str:
    """Return what a recipient remembers that came from an account's rule, and speaks for it."""
    return _KEY + format_mailbox(account.address)


def apply_rule(account: Account, address: Mailbox, agents: Mapping[str, AgentTable]) -> tuple[Successor, ...]:
    """Return who comes in the place of an address of an account; its own copy, where it is kept, comes first.

    `agents` are those of the configuration.
    """
    settings, key = account.settings, make_forward_key(account)
    own = [Successor(address, (key,))] if settings.keeps else []
    others = [Successor(target, (key,)) for target in settings.forwards]
    handed = {name: Successor(address, (key, make_agent_way(name))) for name in settings.agents}
    # An agent that discards looks at nothing, so it finds no circle and can tell of none.
    looking = [one for name, one in handed.items() if not isinstance(agents.get(name), DiscardTable)]
    speaker = next(iter((*others, *([] if settings.deliver else own), *looking, *own)), None)
    return tuple(
        one if one is speaker or speaker is None else _silence(one)
        for one in (*own, *others, *handed.values())
    )


def find_ruler(expanded_via: Sequence[str]) -> Mailbox | None:
    """Return the account whose rule led to a recipient last, or to the agent that gets it."""
    key = _find_last_key(expanded_via)
    for kind in (_KEY, _SILENT_KEY):
        if key.startswith(kind):
            with suppress(AddressError):  # of a row that somebody wrote by hand
                return parse_mailbox(key.removeprefix(kind))
    return None


def is_silent(expanded_via: Sequence[str]) -> bool:
    """Tell whether another recipient speaks for the account whose rule this one came from."""
    return _find_last_key(expanded_via).startswith(_SILENT_KEY)


def was_ruled(account: Account, expanded_via: Sequence[str]) -> bool:
    """Tell whether a recipient came from an account's rule."""
    key = make_forward_key(account)
    return key in expanded_via or _make_silent(key) in expanded_via


def find_forwarding(address: Mailbox, expanded_via: Sequence[str], accounts: Accounts) -> Account | None:
    """Return the account that forwards to a recipient, if it came of its rule and the rule names it now."""
    ruler = find_ruler(expanded_via)
    account = None if ruler is None else accounts.find_exact(ruler)
    return account if account is not None and address in account.settings.forwards else None


def make_forward_way(account: Account) -> str:
    """Return the destination of what an account forwards."""
    return _WAY + format_mailbox(account.address)


def is_forward_way(destination: str) -> bool:
    """Tell whether a destination says that an account forwards."""
    return destination.startswith(_WAY)


def find_forwarder(destination: str) -> Mailbox:
    """Return the account that forwards what has such a destination."""
    return parse_mailbox(destination.removeprefix(_WAY))


def _silence(successor: Successor) -> Successor:
    key, *others = successor.keys
    return Successor(successor.address, (_make_silent(key), *others))


def _make_silent(key: str) -> str:
    return _SILENT_KEY + key.removeprefix(_KEY)


def _find_last_key(expanded_via: Sequence[str]) -> str:
    """Return the key of the alias or account that led to a recipient last, or to the agent that gets it."""
    keys = expanded_via[:-1] if expanded_via and is_agent_way(expanded_via[-1]) else expanded_via
    return keys[-1] if keys else ""
