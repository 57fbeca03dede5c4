"""Which lists were silent about which clients: for a while nobody waits for that again (P6).

A resolver that never answers so costs a client the configured time once, and not with every connection. What
it says in the end, if it does, is in its cache, and goes before what is remembered here.
"""

from collections import OrderedDict

REMEMBERED_S = 300.0  # RFC 9520 §3.2: a failure is remembered for five minutes at most
MOST_REMEMBERED = 10_000
_Question = tuple[str, str]
"""A name, and the type of its records."""


class Silences:
    """Questions to which there was no answer in time; those that were noted first go first."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        """Begin with none."""
        self._most = most
        self._ends_s: OrderedDict[_Question, float] = OrderedDict()

    def note(self, question: _Question, now_s: float) -> None:
        """Remember that there was no answer to a question."""
        self._ends_s.pop(question, None)
        self._ends_s[question] = now_s + REMEMBERED_S
        while len(self._ends_s) > self._most:
            self._ends_s.popitem(last=False)

    def has(self, question: _Question, now_s: float) -> bool:
        """Tell whether there was no answer to a question lately."""
        end_s = self._ends_s.get(question)
        if end_s is None or now_s < end_s:
            return end_s is not None
        del self._ends_s[question]
        return False
