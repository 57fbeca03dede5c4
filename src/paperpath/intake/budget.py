"""How much may be on its way in at once: one budget of octets for all unfinished messages (attack S-3)."""

from paperpath.maildrop.errors import StorageError


class SpoolBudget:
    """Counts the octets of messages that are not yet taken or refused."""

    def __init__(self, most_octets: int) -> None:
        """Begin with nothing taken. `most_octets` may change at any time; what was taken stays."""
        self.most_octets = most_octets
        self._taken = 0

    @property
    def taken(self) -> int:
        """How many octets are on their way in."""
        return self._taken

    def take(self, octets: int) -> None:
        """Take a part of the budget. Raises: StorageError, when that much is not left."""
        if self._taken + octets > self.most_octets:
            raise StorageError("too much mail is on its way in at once", no_space=True)
        self._taken += octets

    def give_back(self, octets: int) -> None:
        """Return what a finished message had."""
        self._taken -= octets
