"""Programs that are made of libraries: imaplib, which has its own Python's, imapclient; and curl."""

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tests.interop.imap.peer import KEPT, Mailbox, Place, gather
from tests.support.peers import find_peer, skip_or_fail
from tests.support.submission import ACCOUNT, PASSWORD
from tests.support.tls import make_client_context

_LETTERS = {b"\\Flagged": "F", b"\\Answered": "R"}


class Imaplib:
    """imaplib, of the standard library."""

    def __init__(self, place: Place) -> None:
        self._client = place.imap.read()

    def put(self, messages: Mapping[int, bytes]) -> None:
        for octets in messages.values():
            assert self._client.append("INBOX", r"(\Seen)", "", octets)[0] == "OK"

    def read(self, folder: str) -> Mailbox:
        assert self._client.select(folder)[0] == "OK"
        found = self._client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]
        return gather((one[1], _letters(one[0])) for one in found if isinstance(one, tuple))

    def flag(self, number: int) -> None:
        assert self._client.uid("STORE", self._find(number), "+FLAGS", r"(\Flagged)")[0] == "OK"

    def move(self, number: int) -> None:
        assert self._client.uid("MOVE", self._find(number), KEPT)[0] == "OK"

    def remove(self, number: int) -> None:
        uid = self._find(number)
        self._client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
        assert self._client.uid("EXPUNGE", uid)[0] == "OK"

    def end(self) -> None:
        self._client.logout()

    def _find(self, number: int) -> str:
        assert self._client.select("INBOX")[0] == "OK"
        uid: bytes = self._client.uid("SEARCH", "HEADER", "X-Number", str(number))[1][0]
        return uid.decode()


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
        kind, (told, *_) = self._client.multiappend("INBOX", list(messages.values()))
        assert kind == "OK", told

    def read(self, folder: str) -> Mailbox:
        self._client.select_folder(folder)
        found = self._client.fetch(self._client.search(), ["FLAGS", "BODY.PEEK[]"])
        return gather((one[b"BODY[]"], _letters(b" ".join(one[b"FLAGS"]))) for one in found.values())

    def flag(self, number: int) -> None:
        self._client.add_flags(self._find(number), [rb"\Flagged"])

    def move(self, number: int) -> None:
        self._client.move(self._find(number), KEPT)

    def remove(self, number: int) -> None:
        uids = self._find(number)
        self._client.delete_messages(uids)
        self._client.uid_expunge(uids)

    def end(self) -> None:
        self._client.logout()

    def _find(self, number: int) -> list[int]:
        self._client.select_folder("INBOX")
        found: list[int] = self._client.search(["HEADER", "X-Number", str(number)])
        return found


class Curl:
    """curl: a connection for each command."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._url = f"imaps://127.0.0.1:{place.imap.imaps_port}"
        user = ("--user", f"{ACCOUNT}:{PASSWORD}")
        self._curl = (find_peer("curl"), "--silent", "--show-error", "--insecure", *user)

    def put(self, messages: Mapping[int, bytes]) -> None:
        for octets in messages.values():
            file = self._place.home / "message"
            file.write_bytes(octets)
            self._place.run(*self._curl, f"{self._url}/INBOX", "--upload-file", file)

    def read(self, folder: str) -> Mailbox:
        told = self._place.run(*self._curl, f"{self._url}/{folder}", "--request", "UID FETCH 1:* (FLAGS)")
        flags = {int(uid): said for uid, said in re.findall(rb"UID (\d+) FLAGS \(([^)]*)\)", told)}
        if not flags:
            return {}
        files = {uid: self._place.home / f"{uid}.eml" for uid in flags}
        each = [(f"{self._url}/{folder};UID={uid}", "--output", str(file)) for uid, file in files.items()]
        self._place.run(*self._curl, *(word for words in each for word in words))
        return gather((file.read_bytes(), _letters(flags[uid])) for uid, file in files.items())

    def flag(self, number: int) -> None:
        self._ask(f"UID STORE {self._find(number)} +FLAGS.SILENT (\\Flagged)")

    def move(self, number: int) -> None:
        self._ask(f"UID MOVE {self._find(number)} {KEPT}")

    def remove(self, number: int) -> None:
        self._ask(f"UID STORE {self._find(number)} +FLAGS.SILENT (\\Deleted)")
        self._ask("EXPUNGE")

    def end(self) -> None:
        pass

    def _ask(self, request: str) -> bytes:
        return self._place.run(*self._curl, f"{self._url}/INBOX", "--request", request)

    def _find(self, number: int) -> int:
        return int(self._ask(f"UID SEARCH HEADER X-Number {number}").split()[-1])


def _letters(said: bytes) -> str:
    return "".join(letter for flag, letter in _LETTERS.items() if flag in said)
