"""What a domain's policy of MTA-STS asks of a mail exchanger: a rule of tls_policy.py (RFC 8461 §4, §5)."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from paperpath.mail.reply import make_reply
from paperpath.remote.connection import SessionError
from paperpath.remote.contact import Hop
from paperpath.remote.mta_sts.policy import Mode, StsPolicy
from paperpath.remote.route import Route, Security
from paperpath.service.log import Log
from paperpath.smtp.client_states import Wait

FindPolicy = Callable[[str], Awaitable[StsPolicy | None]]


class MtaStsRule:
    """Asks for the policy of the domain, for each host anew."""

    def __init__(self, find_policy: FindPolicy, ca_file: Path | None, log: Log) -> None:
        """Take who knows policies, and whose certificates count: `None` is whom this system trusts."""
        self._find_policy = find_policy
        self._ca_file = ca_file
        self._log = log

    async def find(self, route: Route, hop: Hop) -> Security | None:
        """Return how to speak with a host; `None` where no policy says that.

        Raises: SessionError, for now only, where a policy in force does not name the host.
        """
        policy = await self._find_policy(route.domain)
        if policy is None or policy.mode is Mode.NONE:
            return None
        is_enforced = policy.mode is Mode.ENFORCE
        if policy.matches(hop.host):
            because = f"the MTA-STS rules of {route.domain}"
            otherwise = None if is_enforced else route.security
            return Security("require", True, self._ca_file, because=because, otherwise=otherwise)
        self._log.warning(
            "an MTA-STS policy does not name a mail exchanger",
            domain=route.domain,
            host=hop.host,
            mode=policy.mode.value,
        )
        if not is_enforced:
            return None
        reply = make_reply(451, "4.7.0", f"The MTA-STS policy of {route.domain} does not name {hop.host}")
        raise SessionError(reply, Wait.GREETING, is_ours=True)
