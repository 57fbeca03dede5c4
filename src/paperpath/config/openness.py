"""Whether rules grant service to about everybody, so that a relay would be an open one: pure (promise P7).

Called by the loader for the rules of a configuration, and by whoever reads a rules file for all together.
Nobody's own networks are an eighth of all public addresses, and whoever wants to serve strangers grants them
everything; so more than that is taken for a mistake, in one range or in many.
"""

from collections.abc import Iterable, Sequence

from paperpath.config.prefix import WIDTHS, Prefix

_PUBLIC = {4: (0, 224 << 24), 6: (0x2 << 124, 0x4 << 124)}  # all but multicast and what is behind; 2000::/3
_PART = 8

Grant = tuple[Prefix, bool]
"""A network, and whether a rule grants it service without a question."""


def find_openness(grants: Iterable[Grant]) -> Prefix | None:
    """Return the widest network that is granted service, if all that is granted is too much.

    Of networks inside one another the longest decides about its addresses. Each is there once.
    """
    known = list(grants)
    for version, (first, end) in _PUBLIC.items():
        granted = [prefix for prefix, is_granted in known if is_granted and prefix.version == version]
        if sum(_measure(prefix) for prefix in granted) * _PART <= end - first:
            continue  # without a look at what is inside what
        if _count_granted([grant for grant in known if grant[0].version == version]) * _PART > end - first:
            return max(granted, key=_measure)
    return None


def _measure(prefix: Prefix) -> int:
    """Return how many public addresses a network has."""
    first, end = _PUBLIC[prefix.version]
    own_end = prefix.first + (1 << (WIDTHS[prefix.version] - prefix.length))
    return max(min(own_end, end) - max(prefix.first, first), 0)


def _count_granted(grants: Sequence[Grant]) -> int:
    """Count the public addresses that get service: what a network has, but for those inside it."""
    granted = 0
    around: list[Grant] = []
    for prefix, is_granted in sorted(grants, key=lambda grant: (grant[0].first, grant[0].length)):
        while around and not _contains(around[-1][0], prefix):
            around.pop()
        was_granted = bool(around) and around[-1][1]
        granted += (is_granted - was_granted) * _measure(prefix)
        around.append((prefix, is_granted))
    return granted


def _contains(outer: Prefix, inner: Prefix) -> bool:
    return (
        inner.bits >> (inner.length - outer.length) == outer.bits if inner.length >= outer.length else False
    )
