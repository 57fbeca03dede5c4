"""What a random client does, one deed after another, and what it knows to be so after each.

What is about to be done is noted before it is sent, as something that may happen; what was acknowledged, as
something that did.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.imap_soak.ledger import make_email_id
from tests.imap_soak.session import Session
from tests.imap_soak.view import Shown
from tests.imap_soak.wire import Answer, expand

MAILBOXES = ("INBOX", "Aside")
_SHARED = (b"\\Flagged", b"\\Answered", b"\\Draft", b"\\Seen", b"$Forwarded")
_DELETED = b"\\Deleted"
_MANY = 250  # from so many on, fewer come


@dataclass(slots=True)
class Client:
    """A session and its whims."""

    session: Session
    source: random.Random
    _number: int = 0
    _deeds: dict[str, tuple[int, Callable[[], None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._deeds = {
            "append": (3, self._append),
            "set keyword": (12, self._set_keyword),
            "set flags": (10, self._set_shared),
            "set by number": (4, self._set_by_number),
            "set all flags": (6, self._set_private),
            "mark deleted": (6, self._mark_deleted),
            "expunge": (2, self._expunge),
            "UID expunge": (3, self._uid_expunge),
            "copy": (2, self._copy),
            "move": (4, self._move),
            "fetch": (6, self._fetch),
            "read": (6, self._read),
            "search": (5, self._search),
            "idle": (5, self._idle),
            "check": (6, self.session.check),
            "select": (3, self._select),
            "hang up": (1, self.session.close),
        }

    def act(self) -> None:
        """Do something. Raises: OSError; GoneError."""
        session = self.session
        if not session.is_open:
            session.open()
        session.learn()
        weights = [weight for weight, _ in self._deeds.values()]
        (name,) = self.source.choices(list(self._deeds), weights)
        self._deeds[name][1]()
        session.ledger.count(name)
        for what in (*session.find_wrong(session.view.messages), *session.view.complaints):
            session.ledger.complain(f"client {session.number}, {session.kind.name}, {name}: {what}")
        session.view.complaints.clear()

    # What changes messages

    def _append(self) -> None:
        if len(self.session.view.messages) > _MANY and self.source.random() < 0.7:
            return
        ledger, count = self.session.ledger, self.source.choice((1, 1, 2, 4))
        contents = [self._make_message() for _ in range(count)]
        email_ids = [make_email_id(content) for content in contents]
        kind = self.source.choice(("mortal", "shared", "private"))
        flags = self._choose_private() if kind == "private" else frozenset(self.source.sample(_SHARED, 2))
        owner = self.session.number if kind == "private" else None
        ledger.begin(email_ids, mortal=kind == "mortal", owner=owner)
        said = b" ".join(sorted(flags))
        pieces = b"".join(b" (%s) {%d+}\r\n%s" % (said, len(content), content) for content in contents)
        answer = self.session.ask(b"APPEND " + self.session.mailbox.encode() + pieces)
        if not answer.is_ok:
            ledger.stayed_away(email_ids)
            return
        uids = expand(answer.code[2])
        ledger.came(self.session.mailbox, uids, email_ids)
        if kind == "private":
            self.session.exact |= {(self.session.mailbox, uid): flags for uid in uids}

    def _set_keyword(self) -> None:
        uids, session = self._pick(self._is_shared, 5), self.session
        if not uids:
            return
        is_set = self.source.random() < 0.6
        before = {(session.mailbox, uid): session.own.pop((session.mailbox, uid), None) for uid in uids}
        since = session.view.settled
        condition = b""
        if session.kind.knows_modseq and since and self.source.random() < 0.3:
            condition = b" (UNCHANGEDSINCE %d)" % since
        silent = b".SILENT" if self.source.random() < 0.3 else b""
        sign = b"+" if is_set else b"-"
        command = b"UID STORE %s%s %sFLAGS%s (%s)"
        answer = self._store(command % (_list(uids), condition, sign, silent, session.keyword), uids, silent)
        if not answer.is_ok:
            return
        modified = set(expand(answer.code[1])) if answer.code[:1] == (b"MODIFIED",) else set()
        for place, was in before.items():
            if place[1] not in modified:
                session.own[place] = is_set
            elif was is not None:
                session.own[place] = was

    def _set_shared(self) -> None:
        if uids := self._pick(self._is_shared, 8):
            sign = self.source.choice((b"+", b"-"))
            silent = self.source.choice((b"", b".SILENT"))
            flags = b" ".join(self.source.sample(_SHARED, 2))
            self._store(b"UID STORE %s %sFLAGS%s (%s)" % (_list(uids), sign, silent, flags), uids, silent)

    def _set_by_number(self) -> None:
        numbers = [n for n, one in enumerate(self.session.view.messages, 1) if self._is_shared(one)]
        if numbers:
            flag = self.source.choice(_SHARED)
            number = self.source.choice(numbers)
            self.session.ask(b"STORE %d +FLAGS (%s)" % (number, flag), may_expunge=False)

    def _set_private(self) -> None:
        uids, session = self._pick(self._is_mine, 4), self.session
        if uids:
            flags = self._choose_private()
            places = [(session.mailbox, uid) for uid in uids]
            for place in places:
                session.exact.pop(place, None)
            if self._store(b"UID STORE %s FLAGS (%s)" % (_list(uids), b" ".join(flags)), uids).is_ok:
                session.exact |= dict.fromkeys(places, flags)

    def _mark_deleted(self) -> None:
        if uids := self._pick(self._is_mortal, 4):
            self.session.ledger.doom(self._email_ids(uids))
            self._store(b"UID STORE %s +FLAGS (%s)" % (_list(uids), _DELETED), uids)

    def _store(self, command: bytes, uids: Sequence[int], silent: bytes = b"") -> Answer:
        answer = self.session.ask(command)
        if silent and not self.session.kind.knows_modseq:
            for one in self.session.view.messages:
                if one.uid in uids:
                    one.flags = None  # not told
        return answer

    def _expunge(self) -> None:
        self.session.ask(b"EXPUNGE")

    def _uid_expunge(self) -> None:
        marked = self._pick(lambda one: one.flags is not None and _DELETED in one.flags, 5)
        if not marked:
            return
        if self.session.ask(b"UID EXPUNGE " + _list(marked)).is_ok:
            there = [uid for uid in marked if self.session.view.find(uid) is not None]
            for uid in there:
                self.session.view.complain(f"K-18: UID {uid} is there behind its UID EXPUNGE")

    def _copy(self) -> None:
        uids = self._pick(_is_known, 4)
        if not uids or (len(self.session.view.messages) > _MANY and self.source.random() < 0.7):
            return
        ledger, target = self.session.ledger, self.source.choice(MAILBOXES)
        known = dict(zip(uids, self._email_ids(uids), strict=True))
        ledger.copying(known.values())
        answer = self.session.ask(b"UID COPY %s %s" % (_list(uids), target.encode()))
        come = self._read_copied(answer, known)
        ledger.stayed_away(known[uid] for uid in known.keys() - come.keys())
        ledger.came(target, list(come.values()), [known[uid] for uid in come])

    def _move(self) -> None:
        uids = self._pick(_is_known, 5)
        if not uids:
            return
        ledger, here = self.session.ledger, self.session.mailbox
        target = self.source.choice(MAILBOXES)
        known = dict(zip(uids, self._email_ids(uids), strict=True))
        answer = self.session.ask(b"UID MOVE %s %s" % (_list(uids), target.encode()))
        moved = self._read_copied(answer, known)
        places = [(here, uid) for uid in moved]
        ledger.moved(places, [(target, uid) for uid in moved.values()], [known[uid] for uid in moved])

    def _read_copied(self, answer: Answer, asked: Mapping[int, bytes]) -> dict[int, int]:
        """Return which UIDs became which."""
        code = self.session.view.copied or answer.code
        if not answer.is_ok or code[:1] != (b"COPYUID",):
            return {}
        copied = dict(zip(expand(code[2]), expand(code[3]), strict=True))
        if not copied.keys() <= asked.keys():
            self.session.view.complain(f"K-18: asked for {list(asked)}, copied {b' '.join(code)!r}")
        return {uid: new for uid, new in copied.items() if uid in asked}

    # What only looks

    def _fetch(self) -> None:
        count = len(self.session.view.messages)
        if count:
            low = self.source.randint(1, count)
            command = b"FETCH %d:%d (%s)" % (low, min(low + 20, count), self.session.items)
            self.session.ask(command, may_expunge=False)

    def _read(self) -> None:
        session = self.session
        shared = self.source.random() < 0.5
        uids = self._pick(self._is_shared if shared else _is_known, 3)
        if not uids:
            return
        session.ask(b"UID FETCH %s (UID %s)" % (_list(uids), b"BODY[]" if shared else b"BODY.PEEK[]"))
        for uid, octets in session.view.bodies.items():
            known = session.ledger.identities.get((session.mailbox, uid))
            if known not in (None, make_email_id(octets)):
                session.view.complain(f"K-5: UID {uid} has other octets than before")

    def _search(self) -> None:
        session = self.session
        before = {one.uid for one in session.view.messages if one.flags and session.keyword in one.flags}
        found = session.search(b"KEYWORD " + session.keyword)
        after = {one.uid: one.flags for one in session.view.messages}
        for uid in before - found - {None}:
            if uid in after and self._is_quiet(uid):
                session.view.complain(f"K-13: UID {uid} has {session.keyword.decode()}, and is not found")
        for uid in found:
            if uid in after and session.keyword not in (after[uid] or ()):
                session.view.complain(f"K-13: UID {uid} has no {session.keyword.decode()}, and is found")

    def _is_quiet(self, uid: int | None) -> bool:
        return uid is not None and self.session.own.get((self.session.mailbox, uid), False)

    def _idle(self) -> None:
        self.session.idle(self.source.uniform(0.02, 0.5))

    def _select(self) -> None:
        self.session.select(self.source.choices(MAILBOXES, (5, 1))[0])

    # Choosing

    def _make_message(self) -> bytes:
        self._number += 1
        name = f"{self.session.number}.{self._number}"
        lines = b"a line of text\r\n" * int(2 ** self.source.uniform(0, 9))
        return f"Subject: soak\r\nX-Number: {name}\r\n\r\n".encode() + lines

    def _choose_private(self) -> frozenset[bytes]:
        return frozenset(self.source.sample((*_SHARED, b"private"), self.source.randrange(4)))

    def _pick(self, wanted: Callable[[Shown], bool], most: int) -> list[int]:
        uids = [one.uid for one in self.session.view.messages if one.uid is not None and wanted(one)]
        return sorted(self.source.sample(uids, min(len(uids), self.source.randint(1, most))))

    def _email_ids(self, uids: Sequence[int]) -> list[bytes]:
        by_uid = {one.uid: one.email_id for one in self.session.view.messages}
        return [by_uid[uid] or b"" for uid in uids]

    def _is_mortal(self, one: Shown) -> bool:
        return self.session.ledger.is_mortal(one.email_id)

    def _is_shared(self, one: Shown) -> bool:
        return one.email_id is not None and one.email_id not in self.session.ledger.owners

    def _is_mine(self, one: Shown) -> bool:
        return self.session.ledger.owners.get(one.email_id or b"") == self.session.number


def _is_known(one: Shown) -> bool:
    return one.email_id is not None


def _list(uids: Sequence[int]) -> bytes:
    return ",".join(map(str, uids)).encode()
