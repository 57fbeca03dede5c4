"""The course of an IMAP soak: clients and others at work, imapd killed now and then; then one truth."""

import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from paperpath.folders.store.flags import FlagNames, read_flags, split_entry
from paperpath.folders.store.keyword_file import read_keywords
from paperpath.folders.store.tree import MaildirStore
from paperpath.service.durable import open_directory
from tests.imap_soak.deeds import MAILBOXES, Client
from tests.imap_soak.ledger import Found, Ledger, Place, make_email_id
from tests.imap_soak.others import Others
from tests.imap_soak.session import Kind, Session
from tests.imap_soak.wire import GoneError
from tests.support.imap import Imap
from tests.support.installation import wait_until
from tests.support.submission import ACCOUNT, PASSWORD

_KILLS_S = (10.5, 14.0)  # who dies younger is started anew more and more slowly
_PATIENCE_S = 60.0
_MARKER = re.compile(rb"^X-Number: [^\r\n]*", re.MULTILINE)
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, and what is wrong after it."""

    done: Mapping[str, int]
    messages: Mapping[str, int]
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        done = ", ".join(f"{count} {name}" for name, count in sorted(self.done.items()))
        there = ", ".join(f"{count} in {name}" for name, count in self.messages.items())
        return "\n".join(
            [f"done: {done}", f"messages in the end: {there}", *(self.wrong or ["there is one truth"])]
        )


def soak(folder: Path, seconds: float, seed: int, clients: int, kills: int) -> Report:
    """Have clients work for so long, imapd dying so often; judge what is there in the end."""
    installation = Imap(folder / "site", more_imap="most_connections_per_client = 1000")
    ledger = Ledger()
    with installation.up():
        sessions = _work(installation, ledger, seconds, seed, clients, kills)
        wait_until(lambda: not installation.books().open, "all mail to come to rest", _PATIENCE_S)
        found = _look(installation, ledger)
        wrong = [what for session in sessions for what in _compare_view(session, found)]
        output = installation.output()
    wrong += ledger.judge(found)
    wrong += _compare_files(installation, found)
    wrong += _find_strangers(installation, ledger)
    if "Traceback" in output or '"defect"' in output:
        wrong.append("a program had a defect: " + output[output.find("Traceback") :][:2000])
    messages = Counter(mailbox for mailbox, _ in found)
    return Report(ledger.done, messages, tuple(wrong[:_SHOWN]))


def _work(
    installation: Imap, ledger: Ledger, seconds: float, seed: int, clients: int, kills: int
) -> list[Session]:
    """Have everybody work; return the sessions, which are connected and told of everything."""
    kinds = list(Kind)
    sessions = [
        Session(number, installation.imaps_port, (ACCOUNT, PASSWORD), ledger, kinds[number % len(kinds)])
        for number in range(clients)
    ]
    with closing(Session(-1, installation.imaps_port, (ACCOUNT, PASSWORD), ledger, Kind.PLAIN)) as first:
        first.open()
        first.ask(b"CREATE " + MAILBOXES[1].encode())
    others = Others(installation.port, installation.mailboxes / "here.example" / "joe", ledger, seed)
    end_s = time.monotonic() + seconds
    threads = [
        threading.Thread(
            target=_act, args=(Client(session, random.Random(f"{seed} {session.number}")), end_s)
        )
        for session in sessions
    ]
    for thread in threads:
        thread.start()
    _kill(installation, ledger, seconds, seed, kills)
    for thread in threads:
        thread.join()
    others.stop()
    return sessions


def _act(client: Client, end_s: float) -> None:
    """Do one thing after another, connected anew whenever the connection broke."""
    session = client.session
    while time.monotonic() < end_s or not session.is_open:
        try:
            client.act()
        except (OSError, GoneError):
            session.close()
            session.ledger.count("connection lost")
            time.sleep(0.1)  # until imapd is there again
            if time.monotonic() > end_s + _PATIENCE_S:
                session.ledger.complain(f"P8: client {session.number} comes in no more")
                return


def _kill(installation: Imap, ledger: Ledger, seconds: float, seed: int, kills: int) -> None:
    """Kill imapd so often, each time when it had time to live."""
    source = random.Random(f"{seed} kills")
    end_s = time.monotonic() + seconds
    for number in range(kills):
        pause_s = source.uniform(*_KILLS_S) if number else source.uniform(0.3, 0.5) * min(seconds, 10)
        if time.monotonic() + pause_s > end_s:
            return
        time.sleep(pause_s)  # the pace of the deaths, not a wait for anything
        installation.kill("imapd")
        ledger.count("kill -9 of imapd")


def _look(installation: Imap, ledger: Ledger) -> dict[Place, Found]:
    """Return all messages as a new session sees them, once it sees every file."""
    found: dict[Place, Found] = {}
    for mailbox in MAILBOXES:
        login = (ACCOUNT, PASSWORD)
        with closing(Session(-1, installation.imaps_port, login, ledger, Kind.CONDSTORE, mailbox)) as session:
            session.open()
            with suppress(AssertionError):  # then the files are judged otherwise
                wait_until(lambda: _sees_all(session, installation), "all files to be seen", 15)
            session.ask(b"FETCH 1:* (UID FLAGS MODSEQ EMAILID BODY.PEEK[])", may_expunge=False)
            for one in session.view.told:
                assert one.uid is not None
                assert one.flags is not None
                assert one.modseq is not None
                email_id = make_email_id(session.view.bodies[one.uid])
                if email_id != one.email_id:
                    ledger.complain(f"K-5: {mailbox} {one.uid} has other octets than its EMAILID says")
                found[mailbox, one.uid] = Found(one.flags, one.modseq, email_id)
            for what in session.view.complaints:
                ledger.complain(f"in the end: {what}")
    return found


def _sees_all(session: Session, installation: Imap) -> bool:
    session.ask(b"NOOP")
    return len(session.view.messages) == len(_list_files(installation, session.mailbox))


def _compare_view(session: Session, found: Mapping[Place, Found]) -> list[str]:
    """Hold what a client knows to what there is; and what it did itself, in whatever mailbox."""
    name = f"client {session.number}, {session.kind.name}, in the end"
    with closing(session):
        _catch_up(session)
        view = {one.uid or 0: one.flags for one in session.view.messages}
        truth = {uid: one.flags for (mailbox, uid), one in found.items() if mailbox == session.mailbox}
        wrong = [f"{name}: {what}" for what in session.view.complaints]
        wrong += [
            f"{name}: {session.mailbox} {uid} is {_show(view, uid)}, in truth {_show(truth, uid)}"
            for uid in view.keys() | truth.keys()
            if view.get(uid) != truth.get(uid)
        ]
    for place, one in found.items():
        is_set = session.own.get(place)
        if is_set is not None and is_set != (session.keyword in one.flags):
            wrong.append(f"F-8: {place}: {name}: {session.keyword.decode()} is not {is_set}")
        if place in session.exact and session.exact[place] != one.flags:
            wrong.append(f"F-8: {place}: {name}: not {sorted(session.exact[place])}, {sorted(one.flags)}")
    return wrong


def _catch_up(session: Session) -> None:
    """Have a client told of everything; it may have been cut off since it did something."""
    try:
        session.ask(b"NOOP")
    except (OSError, GoneError):
        session.close()
        session.open()
    session.learn()


def _show(flags: Mapping[int, frozenset[bytes] | None] | Mapping[int, frozenset[bytes]], uid: int) -> str:
    return "not there" if uid not in flags else str(sorted(flags[uid] or ()))


def _compare_files(installation: Imap, found: Mapping[Place, Found]) -> list[str]:
    """Hold the files to what was seen by IMAP: by the index as a new process reads it, then by themselves."""
    wrong = []
    store = MaildirStore(installation.mailboxes, PurePosixPath("here.example/joe"))
    for mailbox in MAILBOXES:
        truth = {uid: one for (name, uid), one in found.items() if name == mailbox}
        with closing(store.open(mailbox)) as folder:
            uids = folder.look().snapshot.uids
            states = {state.uid: state.flags for state in folder.states(uids)}
        seen = {uid: frozenset(flag.decode() for flag in one.flags) for uid, one in truth.items()}
        wrong += [
            f"K-29: {mailbox} {uid}: {seen.get(uid)} was seen, {states.get(uid)} is there"
            for uid in seen.keys() | states.keys()
            if seen.get(uid) != states.get(uid)
        ]
        wanted = Counter((one.email_id, seen[uid]) for uid, one in truth.items())
        there = Counter(
            _read_file(installation, mailbox, file) for file in _list_files(installation, mailbox)
        )
        wrong += [
            f"F-8: {mailbox}: {email_id!r} with {sorted(flags)} is in no file"
            for email_id, flags in (wanted - there)
        ]
        wrong += [
            f"F-8: {mailbox}: a file {email_id!r} has {sorted(flags)}, which nobody saw"
            for email_id, flags in (there - wanted)
        ]
    return wrong


def _read_file(installation: Imap, mailbox: str, file: Path) -> tuple[bytes, frozenset[str]]:
    """Return what a file says by itself: which message it is, and its flags."""
    folder = open_directory(_folder(installation, mailbox))
    keywords = read_keywords(folder)
    os.close(folder)
    names = FlagNames([keywords.get(number, "") for number in range(max(keywords, default=-1) + 1)])
    flags = names.to_flags(read_flags(split_entry(file.name)[1]))
    return make_email_id(file.read_bytes().replace(b"\n", b"\r\n")), flags


def _list_files(installation: Imap, mailbox: str) -> list[Path]:
    folder = _folder(installation, mailbox)
    return [file for part in ("new", "cur") for file in (folder / part).iterdir()]


def _folder(installation: Imap, mailbox: str) -> Path:
    home = installation.mailboxes / "here.example" / "joe"
    return home if mailbox == MAILBOXES[0] else home / f".{mailbox}"


def _find_strangers(installation: Imap, ledger: Ledger) -> list[str]:
    """Return which mail by SMTP did not come, and what is there that nobody sent."""
    contents = [file.read_bytes() for mailbox in MAILBOXES for file in _list_files(installation, mailbox)]
    markers = {match[0] for content in contents if (match := _MARKER.search(content))}
    wrong = [f"P2: {marker.decode()} is lost" for marker in ledger.delivered - markers]
    for content in contents:
        is_sent = b"X-Number: sent" in content
        if not is_sent and make_email_id(content.replace(b"\n", b"\r\n")) not in ledger.written:
            wrong.append(f"P1: nobody wrote {content[:80]!r}")
    return wrong
