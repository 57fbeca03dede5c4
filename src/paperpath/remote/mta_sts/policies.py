"""Which policy of MTA-STS a domain has now: asks the DNS, fetches, and remembers (RFC 8461 §3, §5.1).

Used by the relay clients, before each contact. Rules:

1. A policy that was fetched is in force until it expires, whatever happens to the DNS and to its host: who
   can suppress an answer must not get mail without the policy.
2. Where there is none, and none can be had, it is as if the domain had none (RFC 8461 §3.3).
3. A contact waits for the first policy, and for one with another id; not for the same one to be fetched
   anew, as happens to those in use once a day.
4. Fetching that failed is not tried again for some minutes. Whoever wants what is being fetched waits for it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from paperpath.dns.next_hops import Asks
from paperpath.dns.records import TXT
from paperpath.mail.domain import domain_key, is_domain
from paperpath.remote.mta_sts.fetching import FetchError
from paperpath.remote.mta_sts.policy import Mode, StsPolicy
from paperpath.remote.mta_sts.record import PREFIX, find_policy_id
from paperpath.remote.mta_sts.store import PolicyStore, StoredPolicy
from paperpath.service.log import Log

RETRY_S = 300
"""RFC 8461 §3.3: five minutes or longer."""
REFRESH_S = 24 * 3600
MOST_FAILURES = 10_000

_S = 10**6  # in microseconds


class Fetches(Protocol):
    """What is wanted of a fetcher."""

    async def fetch(self, domain: str) -> StsPolicy:
        """Fetch the policy of a domain. Raises: FetchError."""


class Policies:
    """The policies of domains. Lives and is closed in one event loop."""

    def __init__(
        self,
        resolver: Asks,
        fetcher: Fetches,
        store: PolicyStore,
        log: Log,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """Ask nothing yet."""
        self._resolver = resolver
        self._fetcher = fetcher
        self._store = store
        self._log = log
        self._now_us = now_us
        self._flights: dict[str, asyncio.Task[StsPolicy | None]] = {}
        self._failures: OrderedDict[tuple[str, str], int] = OrderedDict()

    async def find(self, domain: str) -> StsPolicy | None:
        """Return the policy that is in force for a domain; address literals have none."""
        name = domain_key(domain)
        if not is_domain(name):
            return None
        answer = await self._resolver.resolve(f"{PREFIX}{name}", TXT)
        stored = self._store.find(name, self._now_us())
        policy_id = find_policy_id(answer.records)
        if stored is None:
            if answer.is_temporary:
                self._log.info(
                    "whether there is an MTA-STS policy is unknown", domain=name, reason=answer.detail
                )
            return await self._fetch(name, policy_id) if policy_id is not None else None
        if policy_id is not None and policy_id != stored.id:
            return await self._fetch(name, policy_id, stored) or stored.policy
        if self._is_old(stored):
            self._start(name, stored.id, stored)
        return stored.policy

    async def close(self) -> None:
        """End what is being fetched; who waits for it is cancelled."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        if flights:
            await asyncio.wait(flights)

    async def _fetch(
        self, domain: str, policy_id: str, stored: StoredPolicy | None = None
    ) -> StsPolicy | None:
        """Fetch a policy, and wait for it; `None` where there is none to be had."""
        flight = self._start(domain, policy_id, stored)
        return None if flight is None else await asyncio.shield(flight)

    def _start(
        self, domain: str, policy_id: str, stored: StoredPolicy | None
    ) -> asyncio.Task[StsPolicy | None] | None:
        """Have a policy fetched; give whatever is on its way by now, nothing after a failure."""
        flight = self._flights.get(domain)
        if flight is None and not self._has_failed(domain, policy_id):
            flight = asyncio.get_running_loop().create_task(self._fly(domain, policy_id, stored))
            self._flights[domain] = flight
            flight.add_done_callback(lambda _: self._flights.pop(domain))
        return flight

    async def _fly(self, domain: str, policy_id: str, stored: StoredPolicy | None) -> StsPolicy | None:
        """Fetch and store a policy."""
        try:
            policy = await self._fetcher.fetch(domain)
        except FetchError as error:
            self._take_failure(domain, policy_id, stored, str(error))
            return None
        self._log.info("an MTA-STS policy was fetched", domain=domain, id=policy_id, mode=policy.mode.value)
        fresh = StoredPolicy(domain, policy_id, self._now_us(), policy)
        await asyncio.to_thread(self._store.keep, fresh)
        return policy

    def _take_failure(self, domain: str, policy_id: str, stored: StoredPolicy | None, reason: str) -> None:
        """Remember a failure; tell of it, unless the domain is parting from MTA-STS (RFC 8461 §10.2)."""
        self._failures[domain, policy_id] = self._now_us()
        self._failures.move_to_end((domain, policy_id))
        if len(self._failures) > MOST_FAILURES:
            self._failures.popitem(last=False)
        if stored is None or stored.policy.mode is not Mode.NONE:
            self._log.warning(
                "an MTA-STS policy cannot be fetched",
                domain=domain,
                id=policy_id,
                in_force=stored is not None,
                reason=reason,
            )

    def _has_failed(self, domain: str, policy_id: str) -> bool:
        failed_us = self._failures.get((domain, policy_id))
        return failed_us is not None and 0 <= self._now_us() - failed_us < RETRY_S * _S

    def _is_old(self, stored: StoredPolicy) -> bool:
        """Tell whether it is to be fetched anew: long before it expires, for that may fail."""
        age_s = (self._now_us() - stored.fetched_us) / _S
        return not 0 <= age_s < min(REFRESH_S, stored.policy.max_age_s / 2)
