"""Programs that are made of libraries: imaplib, which has its own Python's, imapclient; and curl."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.interop.imap.peer import (
    FOLDERS,
    INBOX,
    KEPT,
    Account,
    Changes,
    Mailbox,
    Place,
    as_sent,
    find_number,
    gather,
)
from tests.support.peers import find_peer, skip_or_fail
from tests.support.submission import ACCOUNT, PASSWORD
from tests.support.tls import make_client_context

_KEYS = {"FLAGGED": "F", "ANSWERED": "R"}
_LETTERS = {b"\\Flagged": "F", b"\\Answered": "R"}


class Imaplib:
    """imaplib, of the standard library."""

    def __init__(self, place: Place) -> None:
        self._client = place.imap.read()

    def put(self, messages: Mapping[int, bytes]) -> None:
        for octets in messages.values():
            assert self._client.append(INBOX, r"(\Seen)", "", octets)[0] == "OK"

    def predict(self, messages: Mapping[int, bytes]) -> Mapping[int, bytes]:
        return {number: as_sent(octets) for number, octets in messages.items()}

    def show(self, account: Account) -> Account:
        return account

    def read(self) -> Account:
        return {folder: self._read(folder) for folder in FOLDERS}

    def change(self, changes: Changes) -> None:
        uids = self._find(changes)
        for numbers, flag in ((changes.flagged, r"(\Flagged)"), (changes.removed, r"(\Deleted)")):
            if numbers:
                assert self._client.uid("STORE", _join(uids, numbers), "+FLAGS.SILENT", flag)[0] == "OK"
        if changes.moved:
            assert self._client.uid("MOVE", _join(uids, changes.moved), KEPT)[0] == "OK"
        if changes.removed:
            assert self._client.uid("EXPUNGE", _join(uids, changes.removed))[0] == "OK"

    def end(self) -> None:
        self._client.logout()

    def _read(self, folder: str) -> Mailbox:
        assert self._client.select(folder)[0] == "OK"
        found = self._client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]
        return gather((one[1], _letters(one[0])) for one in found if isinstance(one, tuple))

    def _find(self, changes: Changes) -> dict[int, int]:
        assert self._client.select(INBOX)[0] == "OK"
        uids = {}
        for number in changes.flagged | changes.moved | changes.removed:
            (uid,) = self._client.uid("SEARCH", "HEADER", "X-Number", str(number))[1]
            uids[number] = int(uid)
        return uids


class Imapclient:
    """imapclient, from its own lock file."""

    def __init__(self, place: Place) -> None:
        if find_spec("imapclient") is None:
            skip_or_fail("imapclient is not installed")
        module: Any = import_module("imapclient")
        self._client = module.IMAPClient(
            "127.0.0.1", place.imap.imaps_port, ssl_context=make_client_context(), timeout=20
        )
        self._client.login(ACCOUNT, PASSWORD)

    def put(self, messages: Mapping[int, bytes]) -> None:
        kind, (told, *_) = self._client.multiappend(INBOX, list(messages.values()))
        assert kind == "OK", told

    def predict(self, messages: Mapping[int, bytes]) -> Mapping[int, bytes]:
        return messages

    def show(self, account: Account) -> Account:
        return account

    def read(self) -> Account:
        return {folder: self._read(folder) for folder in FOLDERS}

    def change(self, changes: Changes) -> None:
        self._client.select_folder(INBOX)
        self._client.add_flags(self._find(changes.flagged), [rb"\Flagged"])
        self._client.move(self._find(changes.moved), KEPT)
        uids = self._find(changes.removed)
        self._client.delete_messages(uids)
        self._client.uid_expunge(uids)

    def end(self) -> None:
        self._client.logout()

    def _read(self, folder: str) -> Mailbox:
        self._client.select_folder(folder)
        found = self._client.fetch(self._client.search(), ["FLAGS", "BODY.PEEK[]"])
        return gather((one[b"BODY[]"], _letters(b" ".join(one[b"FLAGS"]))) for one in found.values())

    def _find(self, numbers: Iterable[int]) -> list[int]:
        return [uid for number in numbers for uid in self._client.search(["HEADER", "X-Number", str(number)])]


class Curl:
    """curl: a connection for each command, or for many messages."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._url = f"imaps://127.0.0.1:{place.imap.imaps_port}"
        user = ("--user", f"{ACCOUNT}:{PASSWORD}")
        self._curl = (find_peer("curl"), "--silent", "--show-error", "--insecure", *user)
        self._uids: dict[int, int] = {}

    def put(self, messages: Mapping[int, bytes]) -> None:
        words: list[str | Path] = []
        for number, octets in messages.items():
            file = self._place.home / f"{number}.given"
            file.write_bytes(octets)
            words += ["--upload-file", file, f"{self._url}/{INBOX}"]
        self._place.run(*self._curl, *words)

    def predict(self, messages: Mapping[int, bytes]) -> Mapping[int, bytes]:
        return messages

    def show(self, account: Account) -> Account:
        return account

    def read(self) -> Account:
        return {folder: self._read(folder) for folder in FOLDERS}

    def change(self, changes: Changes) -> None:
        for numbers, words in (
            (changes.flagged, "STORE {} +FLAGS.SILENT (\\Flagged)"),
            (changes.moved, f"MOVE {{}} {KEPT}"),
            (changes.removed, "STORE {} +FLAGS.SILENT (\\Deleted)"),
            (changes.removed, "EXPUNGE {}"),
        ):
            if numbers:
                self._ask(INBOX, f"UID {words.format(_join(self._uids, numbers))}")

    def end(self) -> None:
        pass

    def _read(self, folder: str) -> Mailbox:
        uids = self._search(folder, "ALL")
        if not uids:
            return {}
        letters = {letter: set(self._search(folder, key)) for key, letter in _KEYS.items()}
        files = {uid: self._place.home / f"{uid}.eml" for uid in uids}
        each = [(f"{self._url}/{folder};UID={uid}", "--output", str(file)) for uid, file in files.items()]
        self._place.run(*self._curl, *(word for words in each for word in words))
        octets = {uid: file.read_bytes() for uid, file in files.items()}
        if folder == INBOX:
            self._uids = {find_number(each): uid for uid, each in octets.items()}
        return gather(
            (octets[uid], "".join(letter for letter, found in letters.items() if uid in found))
            for uid in uids
        )

    def _search(self, folder: str, key: str) -> list[int]:
        """Curl takes one long line, but not many (of FETCH)."""
        return [int(uid) for uid in self._ask(folder, f"UID SEARCH {key}").split()[2:]]

    def _ask(self, folder: str, request: str) -> bytes:
        return self._place.run(*self._curl, f"{self._url}/{folder}", "--request", request)


def _join(uids: Mapping[int, int], numbers: Iterable[int]) -> str:
    return ",".join(str(uids[number]) for number in numbers)


def _letters(said: bytes) -> str:
    return "".join(letter for flag, letter in _LETTERS.items() if flag in said)
