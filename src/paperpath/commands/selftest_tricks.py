"""The known tricks by which relays were made to relay for strangers: pure.

Called by `paperpath selftest relay`, which tries each on the running relay. Every one aims at a domain under
.invalid (RFC 2606 §2) or at an address for documentation (RFC 5737, RFC 3849), so no trick could do harm.
"""

from collections.abc import Iterator
from dataclasses import dataclass

VICTIM = "victim"
ELSEWHERE = "selftest.invalid"

_IPV4, _IPV6 = "192.0.2.1", "2001:db8::1"


@dataclass(frozen=True, slots=True)
class Trick:
    """What is said: the path of a recipient as it stands behind `RCPT TO:`, and of the sender.

    `parameters` are those of the recipient, `sender_parameters` those of the sender. `hello`: what EHLO says.
    """

    kind: str
    recipient: str
    sender: str = "<selftest@selftest.invalid>"
    parameters: str = ""
    sender_parameters: str = ""
    hello: str = "selftest.invalid"


@dataclass(frozen=True, slots=True)
class Target:
    """Of whom the tricks pretend to speak: a domain that the relay takes, its own name, its address."""

    domain: str
    hostname: str
    literal: str

    @property
    def names(self) -> tuple[str, ...]:
        """All names for it, and the one that every host has."""
        return tuple(dict.fromkeys((self.domain, self.hostname, self.literal, "localhost")))


def list_tricks(target: Target) -> Iterator[Trick]:
    """Give all tricks for a relay."""
    yield from _try_spellings(target)
    yield from _try_senders(target)
    yield from _try_routes(target)
    yield from _try_neighbours(target)
    yield from _try_literals()
    yield from _try_postmasters()
    yield from _try_parameters(target)
    yield from _try_international(target)


def _try_spellings(target: Target) -> Iterator[Trick]:
    plain = f"{VICTIM}@{ELSEWHERE}"
    yield Trick("plain", f"<{plain}>")
    yield Trick("upper case", f"<{plain.upper()}>")
    yield Trick("mixed case", f"<{VICTIM}@{ELSEWHERE.title()}>")
    yield Trick("trailing dot", f"<{plain}.>")
    yield Trick("no brackets", plain)
    yield Trick("no brackets, with a space", f" {plain}")
    yield Trick("spaces inside", f"< {plain} >")
    yield Trick("no domain", f"<{VICTIM}>")
    yield Trick("a comment", f"<{VICTIM}@{ELSEWHERE}({target.domain})>")
    yield Trick("a display name", f"{target.domain} <{plain}>")
    yield Trick("two recipients", f"<postmaster@{target.domain},{plain}>")
    yield Trick("two paths", f"<postmaster@{target.domain}> <{plain}>")
    yield Trick("a tab", f"<{plain}\t@{target.domain}>")


def _try_senders(target: Target) -> Iterator[Trick]:
    recipient = f"<{VICTIM}@{ELSEWHERE}>"
    yield Trick("null sender", recipient, "<>")
    yield Trick("sender without a domain", recipient, "<postmaster>")
    for name in target.names:
        yield Trick("sender of ours", recipient, f"<postmaster@{name}>")
        yield Trick("EHLO with our name", recipient, hello=name)
    yield Trick("sender is the recipient", recipient, recipient)


def _try_routes(target: Target) -> Iterator[Trick]:
    plain = f"{VICTIM}@{ELSEWHERE}"
    yield Trick("percent hack, no domain", f"<{VICTIM}%{ELSEWHERE}>")
    yield Trick("bang path, no domain", f"<{ELSEWHERE}!{VICTIM}>")
    yield Trick("quoted, no domain", f'<"{plain}">')
    for name in target.names:
        yield Trick("source route", f"<@{name}:{plain}>")
        yield Trick("source route over two", f"<@{name},@{ELSEWHERE}:{plain}>")
        yield Trick("percent hack", f"<{VICTIM}%{ELSEWHERE}@{name}>")
        yield Trick("percent hack, twice", f"<{VICTIM}%{ELSEWHERE}%{ELSEWHERE}@{name}>")
        yield Trick("quoted percent hack", f'<"{VICTIM}%{ELSEWHERE}"@{name}>')
        yield Trick("bang path", f"<{ELSEWHERE}!{VICTIM}@{name}>")
        yield Trick("bang path through us", f"<{name}!{ELSEWHERE}!{VICTIM}>")
        yield Trick("bang path and percent hack", f"<{ELSEWHERE}!{VICTIM}%{ELSEWHERE}@{name}>")
        yield Trick("domain behind domain", f"<{plain}@{name}>")
        yield Trick("domain before domain", f"<{VICTIM}@{name}@{ELSEWHERE}>")
        yield Trick("quoted local part with a domain", f'<"{plain}"@{name}>')
        yield Trick("escaped at sign", f"<{VICTIM}\\@{ELSEWHERE}@{name}>")
        yield Trick("number sign", f"<{VICTIM}#{ELSEWHERE}@{name}>")


def _try_neighbours(target: Target) -> Iterator[Trick]:
    yield Trick("below our domain", f"<{VICTIM}@{ELSEWHERE}.{target.domain}>")
    yield Trick("our domain in front", f"<{VICTIM}@{target.domain}.{ELSEWHERE}>")
    yield Trick("our domain at the end of a label", f"<{VICTIM}@not{target.domain}>")
    yield Trick("our domain and a slash", f"<{VICTIM}@{ELSEWHERE}/{target.domain}>")
    yield Trick("our domain percent-encoded", f"<{VICTIM}@{ELSEWHERE}%00{target.domain}>")
    yield Trick("our domain's last labels", f"<{VICTIM}@{target.domain.partition('.')[2] or ELSEWHERE}>")


def _try_literals() -> Iterator[Trick]:
    for literal in (f"[{_IPV4}]", f"[IPv6:{_IPV6}]", f"[IPv6:::ffff:{_IPV4}]", f"[{_IPV6}]", "[3221225985]"):
        yield Trick("address literal", f"<{VICTIM}@{literal}>")
    for address in (_IPV4, _IPV6, "3221225985", "0xc0000201"):
        yield Trick("address without brackets", f"<{VICTIM}@{address}>")


def _try_postmasters() -> Iterator[Trick]:
    for local in ("postmaster", "POSTMASTER", '"postmaster"', "abuse"):
        yield Trick("postmaster elsewhere", f"<{local}@{ELSEWHERE}>")
    yield Trick("postmaster by percent hack", f"<postmaster%{ELSEWHERE}>")
    yield Trick("postmaster at a literal", f"<postmaster@[{_IPV4}]>")
    yield Trick("postmaster at a literal", f"<postmaster@[IPv6:{_IPV6}]>")


def _try_parameters(target: Target) -> Iterator[Trick]:
    recipient, ours = f"<{VICTIM}@{ELSEWHERE}>", f"postmaster@{target.domain}"
    for parameters in (f"ORCPT=rfc822;{ours}", "NOTIFY=NEVER", "NOTIFY=SUCCESS", "XRELAY=yes"):
        yield Trick("parameters of the recipient", recipient, parameters=parameters)
    for parameters in (f"AUTH={ours}", "AUTH=<>", "SIZE=1", "BODY=8BITMIME", "RET=HDRS ENVID=x", "SMTPUTF8"):
        yield Trick("parameters of the sender", recipient, sender_parameters=parameters)


def _try_international(target: Target) -> Iterator[Trick]:
    for kind, path in (
        ("full-width at sign", f"<{VICTIM}\uff20{ELSEWHERE}@{target.domain}>"),
        ("ideographic full stop", f"<{VICTIM}@selftest\u3002invalid>"),
        ("full-width letters", f"<{VICTIM}@\uff53\uff45\uff4c\uff46test.invalid>"),
        ("U-label", f"<{VICTIM}@s\u00e9lftest.invalid>"),
    ):
        yield Trick(kind, path, sender_parameters="SMTPUTF8")
        yield Trick(f"{kind}, not announced", path)
