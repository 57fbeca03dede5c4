"""The names of agents, and the way that a route, an account or a decision names one by: `agent:NAME`.

Called by the ways, the tables and the accounts file; the routing and local delivery find the name in a way.
"""

import re

AGENT_NAME_EXPECTED = 'a name of at most 64 letters, digits, - and _, other than "maildir", such as "archive"'
MAILDIR = "maildir"
"""What every account has that names no agent."""

_SCHEME = "agent:"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def parse_agent_name(text: str) -> str:
    """Return the name of an agent of the configuration.

    Raises: ValueError, whose text says what was expected.
    """
    if _NAME.fullmatch(text) is None or text == MAILDIR:
        raise ValueError(f"expected {AGENT_NAME_EXPECTED}")
    return text


def is_agent_way(via: str) -> bool:
    """Tell whether a way names an agent."""
    return via.startswith(_SCHEME)


def parse_agent_way(text: str) -> str:
    """Return the name in a way as it was typed. Raises: ValueError, as parse_agent_name does."""
    return parse_agent_name(text.removeprefix(_SCHEME))


def make_agent_way(name: str, recipient: str = "") -> str:
    """Return the way to an agent; to one for a recipient, whose mail waits by itself then."""
    return f"{_SCHEME}{name} {recipient}" if recipient else _SCHEME + name


def find_agent_name(via: str) -> str:
    """Return the name of the agent that a way names, empty for other ways."""
    return via.removeprefix(_SCHEME).partition(" ")[0] if is_agent_way(via) else ""
