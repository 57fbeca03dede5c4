"""The ways that a route may name, and what a route that refuses says.

Called by the tables; the routing compares with the names here, and an operator's word on one recipient has
the same form. A way that names a host is kept in one spelling, since it is the destination's name.
"""

import re

from paperpath.config.endpoint import parse_endpoint
from paperpath.mail.domain import is_domain
from paperpath.mail.reply import Reply, make_reply

LOCAL = "local"
MX = "mx"
REFUSE = "refuse"
SCHEMES = ("smtp", "smtps", "lmtp")

VIA_EXPECTED = '"local", "mx", "refuse", or a host such as "smtp://mail.example.org:25" (smtps, lmtp)'
REFUSAL_EXPECTED = 'a text in ASCII, with a status code if you like, such as "5.1.2 This domain has closed"'

_STATUS = re.compile(r"(5\.\d{1,3}\.\d{1,3})(?: +|$)")
_MOST_TEXT = 300  # characters: the line of the reply has 512 octets
_DEFAULT_STATUS = "5.7.1"


def parse_via(text: str) -> str:
    """Return a way in one spelling.

    Raises: ValueError, whose text says what was expected.
    """
    if text in (LOCAL, MX, REFUSE):
        return text
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES or not rest.isascii() or rest != rest.strip():
        raise ValueError(f"expected {VIA_EXPECTED}")
    if rest[:1].isdigit() or rest.startswith("["):
        try:
            return f"{scheme}://{parse_endpoint(rest)}"
        except ValueError:  # it may be a name that begins with a digit
            pass
    host, _, port = rest.rpartition(":")
    if not (is_domain(host) and _is_port(port)) or host.rpartition(".")[2].isdigit():
        raise ValueError(f"expected {VIA_EXPECTED}")
    return f"{scheme}://{host.lower()}:{int(port)}"


def split_via(via: str) -> tuple[str, int] | None:
    """Return host, without brackets, and port of a way that names them; `None` for the others."""
    _, found, rest = via.partition("://")
    host, _, port = rest.rpartition(":")
    return (host.strip("[]"), int(port)) if found else None


def parse_refusal(text: str) -> Reply:
    """Return the reply for recipients that a route refuses.

    Raises: ValueError, whose text says what was expected.
    """
    status = _STATUS.match(text)
    rest = text[status.end() :] if status else text
    if not rest.strip() or not text.isascii() or not text.isprintable() or len(text) > _MOST_TEXT:
        raise ValueError(f"expected {REFUSAL_EXPECTED}")
    if not status and rest[0].isdigit():  # some other code, which would only be read as text
        raise ValueError(f"expected {REFUSAL_EXPECTED}")
    return make_reply(550, status[1] if status else _DEFAULT_STATUS, rest)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535
