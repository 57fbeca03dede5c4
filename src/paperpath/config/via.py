"""The ways that a route may name, and what a route that refuses says.

Called by the tables; the routing compares with the names here, and an operator's word on one recipient has
the same form. A way that names hosts, to be tried in their order, is kept in one spelling with spaces between
them, since it is the destination's name. A host of LMTP may be a UNIX socket of this one.
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
SCHEMES = ("smtp", "smtps", "lmtp")
MOST_HOSTS = 10
SMTP_PORT = 25
UNIX = "unix:"  # before the path of a socket

_HOSTS_OF_LMTP = '"lmtp://localhost:24" or "lmtp://unix:/run/lmtp"'
VIA_EXPECTED = (
    '"local", "mx", "refuse", or a host such as "smtp://mail.example.org:25", "smtps://[2001:db8::1]:465", '
    f"{_HOSTS_OF_LMTP}, or an array of at most {MOST_HOSTS} such hosts"
    ', or an agent such as "agent:archive"'
)
LMTP_EXPECTED = f"a host such as {_HOSTS_OF_LMTP}, or several with spaces between them"
LMTP_PORT_EXPECTED = "expected another port for lmtp:// than 25, which is for SMTP alone (RFC 2033 section 5)"
SOCKET_EXPECTED = "expected lmtp://unix: with an absolute path behind it, of at most 107 characters of ASCII"
REFUSAL_EXPECTED = 'a text in ASCII, with a status code if you like, such as "5.1.2 This domain has closed"'

_STATUS = re.compile(r"(5\.\d{1,3}\.\d{1,3})(?: +|$)")
_LMTP = "lmtp://"
_MOST_PATH_OCTETS = 107  # as the kernel has it
_MOST_TEXT = 300  # characters: the line of the reply has 512 octets
_DEFAULT_STATUS = "5.7.1"


@dataclass(frozen=True, slots=True)
class NextHost:
    """A host that a way names: its name, or address without brackets; its port; whether TLS comes first.

    `is_lmtp`: it speaks LMTP there (RFC 2033), and no SMTP.
    """

    host: str
    port: int
    is_encrypted: bool
    is_lmtp: bool = False


@dataclass(frozen=True, slots=True)
class NextSocket:
    """A socket in the file system that a way names, where LMTP is spoken."""

    path: str


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


def parse_lmtp(text: str) -> str:
    """Return a way that names hosts of LMTP alone, in one spelling.

    Raises: ValueError, whose text says what was expected.
    """
    hosts = text.split(" ")
    if len(hosts) > MOST_HOSTS or not all(host.startswith(_LMTP) for host in hosts):
        raise ValueError(f"expected {LMTP_EXPECTED}")
    return " ".join(map(_parse_host, hosts))


def split_via(via: str) -> tuple[NextHost | NextSocket, ...]:
    """Return the hosts that a way names, in their order; none for the ways that name none."""
    return tuple(map(_split_host, via.split(" "))) if "://" in via else ()


def _parse_host(text: str) -> str:
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES or not rest.isascii() or rest != rest.strip():
        raise ValueError(f"expected {VIA_EXPECTED}")
    if text.startswith(f"{_LMTP}{UNIX}/"):
        return _check_socket(text)
    parsed = _parse_name_and_port(scheme, rest)
    if scheme == "lmtp" and parsed.endswith(f":{SMTP_PORT}"):
        raise ValueError(LMTP_PORT_EXPECTED)
    return parsed


def _check_socket(text: str) -> str:
    path = text.removeprefix(_LMTP + UNIX)
    if not path.isprintable() or path.endswith("/") or len(path) > _MOST_PATH_OCTETS:
        raise ValueError(SOCKET_EXPECTED)
    return text


def _parse_name_and_port(scheme: str, rest: str) -> str:
    if rest[:1].isdigit() or rest.startswith("["):
        try:
            return f"{scheme}://{parse_endpoint(rest)}"
        except ValueError:  # it may be a name that begins with a digit
            pass
    host, _, port = rest.rpartition(":")
    if not (is_domain(host) and _is_port(port)) or host.rpartition(".")[2].isdigit():
        raise ValueError(f"expected {VIA_EXPECTED}")
    return f"{scheme}://{host.lower()}:{int(port)}"


def _split_host(text: str) -> NextHost | NextSocket:
    scheme, _, rest = text.partition("://")
    if rest.startswith(f"{UNIX}/"):
        return NextSocket(rest.removeprefix(UNIX))
    host, _, port = rest.rpartition(":")
    return NextHost(host.strip("[]"), int(port), scheme == "smtps", scheme == "lmtp")


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
