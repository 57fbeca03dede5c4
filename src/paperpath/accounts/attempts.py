"""How often a password may be guessed: decided before anything is hashed (attack S-7). Pure.

Used by the verifier, in each process for itself; times are seconds. Failures are counted for an account, and
for a network: one address of IPv4, a /64 of IPv6. Each count has room for so many at once, and forgets one
from time to time.
Whose account has got in from a network lately is counted apart there, so that it can be locked out by nobody
else: neither by who guesses its password elsewhere, nor by who guesses others' passwords beside it.

An attempt counts as a failure from its beginning, so that many at once are as many. A success takes back its
own and no others: else who has one password could guess those of others for ever. Unknown names are counted
as accounts are. Memory is bounded: of more than `MOST_COUNTS` the one that was touched longest
ago is forgotten.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

MOST_COUNTS = 20_000
_FAMILIAR_S = 7 * 86_400.0
_NETWORK_BITS = 64  # of an IPv6 address: whoever has one has the whole /64


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many failures there may be at once, and after how many seconds one is forgotten."""

    failures: int
    forgotten_after_s: float


OF_ACCOUNT = Allowance(10, 60.0)  # 1,450 guesses on the first day
OF_NETWORK = Allowance(30, 20.0)
OF_FAMILIAR = Allowance(20, 30.0)  # a device with an old password, beside one with the new


class Attempts:
    """Counts failures. Whoever asks says what time it is, by a clock that does not go back."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._counts: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._familiar: OrderedDict[tuple[str, str], float] = OrderedDict()

    def begin(self, account: str, network: str, now_s: float) -> bool:
        """Count an attempt, and tell whether it may be made; one that may not is not counted."""
        counts = self._find_counts(account, network, now_s)
        if any(self._read(key, allowance, now_s) > allowance.failures - 1 for key, allowance in counts):
            return False
        for key, allowance in counts:
            self._counts[key] = self._read(key, allowance, now_s) + 1, now_s
            self._counts.move_to_end(key)
        while len(self._counts) > MOST_COUNTS:
            self._counts.popitem(last=False)
        return True

    def take_back(self, account: str, network: str, now_s: float) -> None:
        """Take back an attempt that was begun, for it was no failure."""
        for key, allowance in self._find_counts(account, network, now_s):
            if key in self._counts:
                self._counts[key] = max(0.0, self._read(key, allowance, now_s) - 1), now_s

    def succeed(self, account: str, network: str, now_s: float) -> None:
        """Note that an attempt that was begun got an account in from a network."""
        self.take_back(account, network, now_s)
        self._familiar[account, network] = now_s
        self._familiar.move_to_end((account, network))
        if len(self._familiar) > MOST_COUNTS:
            self._familiar.popitem(last=False)

    def is_familiar(self, account: str, network: str, now_s: float) -> bool:
        """Tell whether an account has got in from a network lately."""
        seen_s = self._familiar.get((account, network))
        return seen_s is not None and now_s - seen_s < _FAMILIAR_S

    def _find_counts(self, account: str, network: str, now_s: float) -> list[tuple[Hashable, Allowance]]:
        if self.is_familiar(account, network, now_s):
            return [((account, network), OF_FAMILIAR)]
        return [(("account", account), OF_ACCOUNT), (("network", network), OF_NETWORK)]

    def _read(self, key: Hashable, allowance: Allowance, now_s: float) -> float:
        """Return how many failures are remembered; the parts of one that is being forgotten count."""
        failures, since_s = self._counts.get(key, (0.0, now_s))
        return max(0.0, failures - (now_s - since_s) / allowance.forgotten_after_s)


def find_network(address: str) -> str:
    """Return the network that an address counts for; what is no address is a network of its own."""
    try:
        host = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(host, ipaddress.IPv6Address):
        if host.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((host, _NETWORK_BITS), strict=False))
        return str(host.ipv4_mapped)
    return str(host)
