"""From what somebody asks about to whole stories: all events of a message, whoever told them, in their order.

Called by `paperpath why`, with a function that looks events up. What is found names queue ids and sessions,
and these are looked up in turn: from a message to the refusals of its transaction, to the reports about it
and to what it was forwarded as, and from these back to it. However much there is, only the newest subjects
are kept.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii

from paperpath.journal.events import (
    Accepted,
    Attempted,
    Forwarded,
    MessageRefused,
    Released,
    Reported,
    Sorted,
    Suspended,
    TurnedAway,
)
from paperpath.journal.lines import Told
from paperpath.journal.search import Pattern
from paperpath.mail.address import domain_key

LookUp = Callable[[Collection[Pattern]], Iterable[Told]]

_QUEUE_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{12,24}", re.I)
_RELEASED = re.compile(rb'"event":"released"')
_MOST_LINKED = 100  # messages that are told of for their links alone
_MOST_RELEASES = 1000
_MOST_SUSPENSIONS = 1000  # of each destination
_LAST_OUTCOMES = ("delivered", "relayed", "failed", "discarded", "forwarded")


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to a message; or, without a queue id, what was refused in a session, or to a client."""

    queue_id: str
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Stories:
    """What was found, the oldest first; `complete`: whether there was no more than was asked for."""

    stories: tuple[Story, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """Which lines are meant: those with `hint`, which is fast to look for, where `exact` is found too."""

    hint: Pattern
    exact: Pattern


def find_stories(text: str, look_up: LookUp, limit: int) -> Stories:
    """Find what happened to a Message-ID, a queue id or an address; the newest `limit` of them.

    Local parts are compared as they are, domains in any case and spelling. Whatever else stands whole in an
    event is found as well: a client's address, a session.
    """
    question = _parse_question(text.strip())
    if question is None:
        return Stories((), complete=True)
    gathered = _Gathered(look_up)
    complete = gathered.ask(question, limit)
    gathered.follow_messages()
    gathered.follow_sessions()
    gathered.follow_destinations()
    return Stories(tuple(gathered.stories()), complete)


def _parse_question(text: str) -> _Question | None:
    if text.startswith("<") and text.endswith(">") and text != "<>":
        text = text[1:-1]
    if not text:
        return None
    if _QUEUE_ID.fullmatch(text):
        text = text.upper()
    local, at, domain = text.rpartition("@")
    if not at:
        local, domain = text, ""
    begin = _escape(local + at)
    end = b"|".join(sorted({_escape(domain), _escape(domain_key(domain))}))
    pattern = begin + b"(?i:" + end + b")" if at else begin
    return _Question(re.compile(pattern), re.compile(rb'(?<=[":<])' + pattern + rb'(?=[">])'))


def _escape(text: str) -> bytes:
    """Write a text as it stands inside a string of JSON, as an expression that means itself."""
    return re.escape(encode_basestring_ascii(text)[1:-1].encode("ascii"))


class _Gathered:
    """The events found so far, by message and by session, or client without one; a line is kept once."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._messages: dict[str, dict[bytes, Told]] = defaultdict(dict)
        self._sessions: dict[str, dict[bytes, Told]] = defaultdict(dict)
        self._releases: list[Told] = []
        self._suspensions: dict[str, list[Told]] = defaultdict(list)  # by destination

    def ask(self, question: _Question, limit: int) -> bool:
        """Take what answers the question; tell whether that was all there is."""
        complete = True
        for told in self._look_up([question.hint]):
            if question.exact.search(told.line) is not None:
                self._add(told)
                if len(self._messages) + len(self._sessions) > 2 * limit:
                    complete = self._forget_oldest(limit)
        return self._forget_oldest(limit) and complete

    def follow_messages(self) -> None:
        """Look up all of each message, of the reports about it and of what it reports about."""
        known: set[str] = set()
        most = len(self._messages) + _MOST_LINKED
        while wanted := sorted(self._messages.keys() - known)[: most - len(known)]:
            known.update(wanted)
            patterns = [_any_of(key, wanted) for key in ("queue_id", "report_id", "forward_id")]
            for told in self._look_up(patterns):
                self._add(told)
                if isinstance(told.event, Reported):
                    self._messages[told.event.report_id]  # has a place from now on, and is looked up
                elif isinstance(told.event, Forwarded):
                    self._messages[told.event.forward_id]  # likewise

    def follow_sessions(self) -> None:
        """Look up what was refused in the transactions that led to messages, and what died meanwhile."""
        wanted = {
            told.event.session: None
            for lines in self._messages.values()
            for told in lines.values()
            if isinstance(told.event, Accepted | MessageRefused) and told.event.session
        }
        if not self._messages:
            return
        ends: dict[str, set[int]] = defaultdict(set)  # of the transactions of each session
        refusals: dict[str, list[Told]] = defaultdict(list)
        for told in self._look_up([_RELEASED, *([_any_of("session", wanted)] if wanted else [])]):
            event = told.event
            if isinstance(event, Released):
                self._releases = [*self._releases[1 - _MOST_RELEASES :], told]
            elif isinstance(event, Accepted | MessageRefused):
                ends[event.session].add(told.time_us)
            elif session := getattr(event, "session", ""):
                refusals[session].append(told)
        for lines in self._messages.values():
            self._add_refusals(lines, ends, refusals)

    def follow_destinations(self) -> None:
        """Look up when the destinations of the messages could not be reached."""
        wanted = {
            told.event.destination
            for lines in self._messages.values()
            for told in lines.values()
            if isinstance(told.event, Sorted)
        }
        if not wanted:
            return
        for told in self._look_up([_any_of("destination", sorted(wanted))]):
            if isinstance(told.event, Suspended):
                known = self._suspensions[told.event.destination]
                self._suspensions[told.event.destination] = [*known[1 - _MOST_SUSPENSIONS :], told]

    def stories(self) -> list[Story]:
        """Return one story for each message, and for each session with something that led to none."""
        told_elsewhere = {line for lines in self._messages.values() for line in lines}
        stories = [Story(queue_id, self._order(lines)) for queue_id, lines in self._messages.items() if lines]
        for lines in self._sessions.values():
            rest = {line: told for line, told in lines.items() if line not in told_elsewhere}
            if rest:
                stories.append(Story("", _by_time(rest.values())))
        return sorted(stories, key=lambda story: story.told[0].time_us)

    def _add(self, told: Told) -> None:
        if queue_id := getattr(told.event, "queue_id", ""):
            self._messages[queue_id][told.line] = told
        elif session := getattr(told.event, "session", ""):
            self._sessions[session][told.line] = told
        elif isinstance(told.event, TurnedAway):  # no session has an address for its name
            self._sessions[told.event.network or told.event.client][told.line] = told

    def _forget_oldest(self, limit: int) -> bool:
        """Keep the newest subjects; tell whether that was all."""
        subjects = [(kind, key) for kind in (self._messages, self._sessions) for key in kind]
        subjects.sort(key=lambda subject: max(told.time_us for told in subject[0][subject[1]].values()))
        for kind, key in subjects[:-limit]:
            del kind[key]
        return len(subjects) <= limit

    def _add_refusals(
        self, lines: dict[bytes, Told], ends: dict[str, set[int]], refusals: dict[str, list[Told]]
    ) -> None:
        """Add to a message what was refused since the transaction before its own."""
        for told in list(lines.values()):
            if isinstance(told.event, Accepted | MessageRefused):
                session, end_us = told.event.session, told.time_us
                begin_us = max((moment for moment in ends[session] if moment < end_us), default=0)
                lines |= {
                    refusal.line: refusal
                    for refusal in refusals[session]
                    if begin_us < refusal.time_us <= end_us
                }

    def _order(self, lines: dict[bytes, Told]) -> tuple[Told, ...]:
        """Order what was told of a message, with what happened to many at once while it was here."""
        told = _by_time(lines.values())
        meanwhile = [death for death in self._releases if told[0].time_us < death.time_us < told[-1].time_us]
        return _by_time([*told, *meanwhile, *self._find_suspensions(told)])

    def _find_suspensions(self, told: tuple[Told, ...]) -> Collection[Told]:
        """Return when a recipient waited for a destination that could not be reached."""
        found: dict[bytes, Told] = {}
        for one in told:
            if isinstance(one.event, Sorted) and one.event.destination in self._suspensions:
                end_us = _find_end(told, one.event.address)
                found |= {
                    suspension.line: suspension
                    for suspension in self._suspensions[one.event.destination]
                    if one.time_us < suspension.time_us and (end_us is None or suspension.time_us <= end_us)
                }
        return found.values()


def _find_end(told: tuple[Told, ...], address: str) -> int | None:
    """Return when an address had its last outcome, `None` if it is open."""
    ends = (
        one.time_us
        for one in told
        if isinstance(one.event, Attempted)
        and one.event.recipient == address
        and one.event.outcome in _LAST_OUTCOMES
    )
    return next(ends, None)


def _by_time(told: Iterable[Told]) -> tuple[Told, ...]:
    return tuple(sorted(told, key=lambda one: one.time_us))


def _any_of(key: str, values: Iterable[str]) -> Pattern:
    return re.compile(b'"%b":"(?:%b)"' % (key.encode("ascii"), b"|".join(map(_escape, values))))
