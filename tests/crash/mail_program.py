"""A mail program that works on a mailbox by IMAP, and notes what it is told (mailbox_ledger.py).

It does one deed after the other, until one is not answered with OK.
"""

import random
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from tests.crash.mailbox_ledger import Intent, MailboxLedger, Seen, State
from tests.imap_soak.wire import Wire, expand, parse
from tests.support.submission import ACCOUNT, PASSWORD

_NUMBER = re.compile(rb"^X-(Number|Put): (\d+)\r$", re.MULTILINE)
_CODE = re.compile(rb"\[(UIDVALIDITY|APPENDUID|COPYUID) ([0-9:, ]+)\]")
_UIDS = b"<uids>"
Note = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Deed:
    """A command on some messages of a folder, if it is on any; `target`: the folder that it puts some in."""

    command: bytes
    intent: Intent
    numbers: tuple[int, ...] = ()
    folder: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at all there is. `anew`: UIDs may have become new ones."""

    anew: bool = False


Work = Deed | Look


def make_content(number: int) -> bytes:
    """Make the content of a message that is put in: short or long, with a bare LF in every third."""
    source = random.Random(number)
    lines = [b"X-Put: %d" % number, b"Subject: put in", b""]
    lines += [source.randbytes(60).hex().encode() for _ in range(number % 10 * 10)]
    return b"\r\n".join(lines) + (b"\r\na\nb\r\n" if number % 3 == 0 else b"\r\n")


def make(folder: str) -> Deed:
    """Make a folder."""
    return Deed(b"CREATE " + folder.encode(), Intent(f"create {folder}", lambda state: state, whole=False))


def put(folder: str, *numbers: int, flags: bytes = b"") -> Deed:
    """Put new messages in, all at once."""
    contents = map(make_content, numbers)
    messages = b"".join(b" (%b) {%d+}\r\n%b" % (flags, len(content), content) for content in contents)

    def change(state: State) -> State:
        return {**state, **{(folder, number): frozenset(flags.split()) for number in numbers}}

    intent = Intent(f"put {numbers} in", change, whole=True)
    return Deed(b"APPEND " + folder.encode() + messages, intent, numbers, target=folder)


def mark(folder: str, numbers: tuple[int, ...], how: bytes, flags: bytes) -> Deed:
    """Change flags: `how` is +FLAGS, -FLAGS or FLAGS."""
    named, places = frozenset(flags.split()), {(folder, number) for number in numbers}

    def mark_one(old: frozenset[bytes]) -> frozenset[bytes]:
        kept = frozenset[bytes]() if how == b"FLAGS" else old
        return kept - named if how == b"-FLAGS" else kept | named

    def change(state: State) -> State:
        return {place: mark_one(old) if place in places else old for place, old in state.items()}

    intent = Intent(f"mark {numbers}", change, whole=False)
    return Deed(b"UID STORE %b %b (%b)" % (_UIDS, how, flags), intent, numbers, folder)


def copy(folder: str, numbers: tuple[int, ...], target: str) -> Deed:
    """Copy messages to another folder."""

    def change(state: State) -> State:
        return {**state, **{(target, number): state[folder, number] for number in numbers}}

    command = b"UID COPY %b %b" % (_UIDS, target.encode())
    return Deed(command, Intent(f"copy {numbers}", change, whole=True), numbers, folder, target)


def move(folder: str, numbers: tuple[int, ...], target: str) -> Deed:
    """Move messages to another folder."""

    def change(state: State) -> State:
        moved = {(folder, number): (target, number) for number in numbers}
        return {moved.get(place, place): flags for place, flags in state.items()}

    command = b"UID MOVE %b %b" % (_UIDS, target.encode())
    return Deed(command, Intent(f"move {numbers}", change, whole=False), numbers, folder, target)


def expunge(folder: str, *numbers: int) -> Deed:
    """Remove messages that were marked \\Deleted."""

    def change(state: State) -> State:
        removed = {(folder, number) for number in numbers}
        return {place: flags for place, flags in state.items() if place not in removed}

    intent = Intent(f"expunge {numbers}", change, whole=False)
    return Deed(b"UID EXPUNGE " + _UIDS, intent, numbers, folder)


def work(port: int, works: Sequence[Work], ledger: MailboxLedger) -> None:
    """Log in and do all that is to be done, as far as it goes. Raises: OSError; GoneError."""
    with closing(Wire(port, ACCOUNT, PASSWORD)) as wire:
        connection = _Connection(wire, ledger)
        for one in works:
            if not (connection.do(one) if isinstance(one, Deed) else connection.look(one)):
                return


class _Connection:
    """One connection, and what it has selected."""

    def __init__(self, wire: Wire, ledger: MailboxLedger) -> None:
        self._wire = wire
        self._ledger = ledger
        self._selected = ""

    def do(self, deed: Deed) -> bool:
        """Do something, and tell whether it was done."""
        if deed.folder not in ("", self._selected):
            if not self._select(b"SELECT", deed.folder, anew=False):
                return False
            self._selected = deed.folder
        self._ledger.begin(deed.intent)
        uids = [b"%d" % self._ledger.find_uid(deed.folder, number) for number in deed.numbers if deed.folder]
        command = deed.command.replace(_UIDS, b",".join(uids), 1)
        if self._ask(command, lambda line: self._note_arrival(deed, line)):
            self._ledger.acknowledge()
            return True
        self._ledger.refuse()
        return False

    def look(self, look: Look) -> bool:
        """Look at all folders; tell whether that could be done."""
        names, seen = list[str](), list[Seen]()
        if not self._ask(b'LIST "" *', lambda line: names.extend(_read_name(line))):
            return False
        for name in names:
            self._selected = ""
            if not self._select(b"EXAMINE", name, anew=look.anew) or not self._read_all(name, seen):
                return False
        self._ledger.compare(seen)
        return True

    def _select(self, command: bytes, folder: str, *, anew: bool) -> bool:
        def note(line: bytes) -> None:
            if (code := _CODE.search(line)) is not None:
                self._ledger.note_validity(folder, int(code[2]), may_change=anew)

        return self._ask(command + b" " + folder.encode(), note)

    def _read_all(self, folder: str, seen: list[Seen]) -> bool:
        def note(line: bytes) -> None:
            if b" FETCH (" in line[:30]:
                words = parse(line)[3]
                facts = dict(zip(words[::2], words[1::2], strict=True))
                seen.append(_read_message(folder, int(facts[b"UID"]), facts[b"FLAGS"], facts[b"BODY[]"]))
                self._ledger.note_uid(folder, seen[-1].uid, seen[-1].number)

        return self._ask(b"UID FETCH 1:* (FLAGS BODY.PEEK[])", note)

    def _note_arrival(self, deed: Deed, line: bytes) -> None:
        """Note the UIDs that messages got where they were put."""
        code = _CODE.search(line)
        if code is None:
            return
        validity, *sets = code[2].split()
        numbers: Sequence[int] = deed.numbers
        if len(sets) > 1:
            numbers = [self._ledger.find_number(deed.folder, uid) for uid in expand(sets[0])]
        self._ledger.note_validity(deed.target, int(validity), may_change=False)
        for uid, number in zip(expand(sets[-1]), numbers, strict=True):
            self._ledger.note_uid(deed.target, uid, number)

    def _ask(self, command: bytes, note: Note) -> bool:
        """Ask, note each response as it comes, and tell whether the last one is OK."""
        tag = self._wire.new_tag() + b" "
        self._wire.send(tag + command + b"\r\n")
        line = b""
        while not line.startswith(tag):
            line = self._wire.read()
            note(line)
        return line.startswith(tag + b"OK")


def _read_name(line: bytes) -> list[str]:
    """Return the name in a response of LIST, if it is one."""
    return [parse(line)[-1].decode()] if line.startswith(b"* LIST ") else []


def _read_message(folder: str, uid: int, flags: Sequence[bytes], octets: bytes) -> Seen:
    match = _NUMBER.search(octets)
    number = 0 if match is None else int(match[2])
    is_intact = match is not None and (match[1] == b"Number" or octets == make_content(number))
    return Seen(folder, uid, number, frozenset(flags), is_intact)
