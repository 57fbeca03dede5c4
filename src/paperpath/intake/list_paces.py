"""How long lists take to answer: one that took longer than its head start lately gets none (C-18, C-24).

Noted where a list is asked about a client, read by the list desk. The slowest answer counts, and fades with
each one after it, so a list has its head start back some answers after it became quick again.
"""

_FADING = 0.9


class Paces:
    """What lists took, by their zones; one that was never asked is taken for quick."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._slowest_s: dict[str, float] = {}

    def note(self, zone: str, took_s: float) -> None:
        """Remember how long a list took."""
        self._slowest_s[zone] = max(took_s, _FADING * self._slowest_s.get(zone, 0.0))

    def allow(self, zone: str, head_start_s: float) -> float:
        """Return the head start of a list: none where waiting for it has been in vain lately."""
        return 0.0 if self._slowest_s.get(zone, 0.0) > head_start_s else head_start_s
