"""The ways that a route may name, and what a route that refuses says.

Called by the tables; the routing compares with the names here, and an operator's word on one recipient has
the same form. A way that names hosts, to be tried in their order, is kept in one spelling with spaces between
them, since it is the destination's name.
"""

import re
from dataclasses import dataclass

from paperpath.config.agent_name import find_agent_name, is_agent_way, make_agent_way, parse_agent_name
from paperpath.config.endpoint import parse_endpoint
from paperpath.mail.domain import is_domain
from paperpath.mail.reply import Reply, make_reply

LOCAL = "local"
MX = "mx"
REFUSE = "refuse"
SCHEMES = ("smtp", "smtps")
MOST_HOSTS = 10

VIA_EXPECTED = (
    '"local", "mx", "refuse", or a host such as "smtp://mail.example.org:25" or "smtps://[2001:db8::1]:465", '
    f'or an array of at most {MOST_HOSTS} such hosts, or an agent such as "agent:archive"'
)
LMTP_EXPECTED = "expected no lmtp:// here: delivery by LMTP is not there yet"
REFUSAL_EXPECTED = 'a text in ASCII, with a status code if you like, such as "5.1.2 This domain has closed"'

_STATUS = re.compile(r"(5\.\d{1,3}\.\d{1,3})(?: +|$)")
_MOST_TEXT = 300  # characters: the line of the reply has 512 octets
_DEFAULT_STATUS = "5.7.1"


@dataclass(frozen=True, slots=True)
class NextHost:
    """A host that a way names: its name, or address without brackets; its port; whether TLS comes first."""

    host: str
    port: int
    is_encrypted: bool


def parse_via(text: str) -> str:
    """Return a way in one spelling; of hosts there may be several, with spaces between them.

    Raises: ValueError, whose text says what was expected.
    """
    if text in (LOCAL, MX, REFUSE):
        return text
    if is_agent_way(text) and " " not in text:
        return make_agent_way(parse_agent_name(find_agent_name(text)))
    hosts = text.split(" ")
    if len(hosts) > MOST_HOSTS:
        raise ValueError(f"expected {VIA_EXPECTED}")
    return " ".join(map(_parse_host, hosts))


def split_via(via: str) -> tuple[NextHost, ...]:
    """Return the hosts that a way names, in their order; none for the ways that name none."""
    return tuple(map(_split_host, via.split(" "))) if "://" in via else ()


def _parse_host(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme == "lmtp":
        raise ValueError(LMTP_EXPECTED)
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


def _split_host(text: str) -> NextHost:
    scheme, _, rest = text.partition("://")
    host, _, port = rest.rpartition(":")
    return NextHost(host.strip("[]"), int(port), scheme == "smtps")


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
