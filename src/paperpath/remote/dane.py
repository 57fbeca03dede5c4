"""What a mail exchanger's TLSA records ask for (RFC 7672 §2, requirement G-36).

The first of the rules in tls_policy.py. Nothing is asked unless DNSSEC vouches for the host, so all other
mail pays nothing; and then to learn nothing is a reason to wait, never to go on without.
"""

from typing import TypeVar

from paperpath.dns.answer import Answer
from paperpath.dns.exchangers import Identity
from paperpath.dns.next_hops import Asks
from paperpath.dns.records import CNAME, TLSA, RecordType
from paperpath.mail.reply import make_reply
from paperpath.remote.connection import SessionError
from paperpath.remote.contact import Hop
from paperpath.remote.route import Route, Security
from paperpath.remote.tlsa import Pins, choose_usable
from paperpath.smtp.client_states import Wait

_Value = TypeVar("_Value")


class DaneRule:
    """Asks for the records of hosts."""

    def __init__(self, resolver: Asks) -> None:
        """Ask nothing yet."""
        self._resolver = resolver

    async def find(self, route: Route, hop: Hop) -> Security | None:
        """Return what a host's records ask for; `None` where it has none. Raises: SessionError."""
        if hop.identity is None:
            return None
        for base in await self._find_bases(hop.host, hop.identity):
            answer = await self._ask(f"_{hop.port}._tcp.{base}", TLSA)
            if answer.is_secure and answer.records:
                names = tuple(dict.fromkeys((base, *hop.identity.domains)))
                pins = Pins(names, choose_usable(answer.records))
                return Security("require", pins=pins, because=f"the TLSA records of {base}")
        return None

    async def _find_bases(self, host: str, identity: Identity) -> tuple[str, ...]:
        """Return below which names there may be records, the first before the others (RFC 7672 §2.2.2)."""
        if identity.is_secure:
            return tuple(dict.fromkeys((identity.canonical, host)))
        if identity.canonical == host:
            return ()
        # Where its alias leads nobody vouches for, but perhaps for the alias itself.
        alias = await self._ask(host, CNAME)
        return (host,) if alias.is_secure and alias.records else ()

    async def _ask(self, name: str, kind: RecordType[_Value]) -> Answer[_Value]:
        """Ask. Raises: SessionError, where nothing is known now (RFC 7672 §2.1.2)."""
        answer = await self._resolver.resolve(name, kind)
        if not answer.is_temporary:
            return answer
        reason = f"{kind} of {name}: {answer.detail or answer.status.value}"
        reply = make_reply(451, "4.4.3", f"The DNS does not tell now how to recognise the host: {reason}")
        raise SessionError(reply, Wait.GREETING, is_ours=True)
