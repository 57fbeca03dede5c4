"""Taking over what people of this host left in the drop directory (promise P8: within seconds).

A task of smtppd. A file is copied into the maildrop's own content, checked while it is copied, accepted under
a key that is taken once only, then removed. A crash anywhere leaves either the file, or the message and the
file, whose key is known then: exactly one copy in the end. What is no message is put aside, and the rest
flows (D-9).
"""

import asyncio
import pwd
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import TypeVar

from paperpath.config.loader import Document
from paperpath.config.tables import Configuration
from paperpath.delivery.reports import make_clerk, notify_of_files
from paperpath.dkim.keyring import Keyring
from paperpath.dkim.signing import MessageSigning
from paperpath.intake.hops import HopCounter
from paperpath.intake.reception import MOST_HOPS
from paperpath.intake.space import FreeSpace
from paperpath.journal.events import Accepted, Tell, show_address, show_addresses
from paperpath.mail.envelope import Client
from paperpath.mail.trace import Stamp, submitted_field
from paperpath.maildrop.drop.folder import DropFolder, Fate, Found
from paperpath.maildrop.drop.format import DropError, UnreadableError, parse_envelope
from paperpath.maildrop.drop.reader import DropFile
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.interface import ContentWriter, Maildrop
from paperpath.maildrop.values import NewMessage, Origin
from paperpath.service.log import Log
from paperpath.service.metrics import Family, Sample
from paperpath.service.program import Life
from paperpath.service.signing_keys import open_keyring
from paperpath.service.tls.key_files import Reader

POLL_S = 1.0  # who drops a message can wake nobody
BATCH = 50
MOST_AT_ONCE = 4  # files that are copied at the same time, and whose messages share a commit
NOTICE_S = 3600.0  # between two letters to the postmaster; the log has everything
_MOST_LINES = 10  # of the log, for what is put aside of one batch
_MOST_STUCK = 1000  # names of what cannot be put aside that are remembered
_MOST_DOUBTED = 1000  # of what could not be read, once

Result = TypeVar("Result")


class _LaterError(Exception):
    """This file cannot be taken now; it stays where it is."""


class DropImport:
    """Takes messages over from the drop directory, as long as it is open."""

    def __init__(
        self, configuration: Configuration, maildrop: Maildrop, log: Log, tell: Tell, keyring: Keyring
    ) -> None:
        """Open the directory. Raises: OSError, DropError."""
        self.keyring = keyring
        """What signs from now on."""
        self._folder = DropFolder(configuration.drop_folder, configuration.damaged_folder)
        self._space = FreeSpace(configuration.maildrop_folder, configuration.relay.least_free)
        self._configuration = configuration
        self._maildrop = maildrop
        self._log = log
        self._tell_event = tell
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, "drop")
        self._slots = asyncio.Semaphore(MOST_AT_ONCE)
        self._stuck: set[str] = set()
        self._doubted: set[str] = set()
        self._next_notice_s = 0.0
        self._removed: list[str] = []  # keys of files that are gone
        self._counts = {"taken": 0, "damaged": 0, "expired": 0}

    async def forget_gone(self) -> None:
        """Forget keys whose files are gone: whoever removed them may have died before it could.

        To be called before anything is imported, for a key is known before its file is gone. Raises: OSError.
        """
        after = ""
        try:
            while keys := self._maildrop.read_unique(after, BATCH):
                after = keys[-1]
                self._removed += await self._run(partial(self._folder.find_gone, keys))
        except MaildropError as error:
            self._log.error("cannot look for dropped messages to forget", reason=str(error))
        if self._removed:
            await self._run(self._folder.flush)
            await self._forget()

    async def import_some(self, most_octets: int) -> int:
        """Deal with a batch; return with how many files, 0 where nothing is to be done for now.

        Raises: OSError, if the directory cannot be read.
        """
        while True:
            found = await self._run(lambda: self._folder.look(BATCH, time.time()))
            if found:
                return await self._deal_with(found, most_octets)
            if found is None and not self._folder.passed_over:
                return 0

    def families(self) -> Sequence[Family]:
        """Return the numbers of this moment."""
        samples = [Sample("_total", {"outcome": outcome}, count) for outcome, count in self._counts.items()]
        return [Family("paperpath_drop_files", "counter", "Files of the drop directory.", samples)]

    def close(self) -> None:
        """Let go; no batch may be under way."""
        self._threads.shutdown()
        self._folder.close()

    async def _deal_with(self, found: Sequence[Found], most_octets: int) -> int:
        to_take = [one for one in found if one.fate is Fate.TAKE]
        results = await asyncio.gather(*(self._take(one, most_octets) for one in to_take))
        aside = [(one.name, one.uid, one.reason) for one in found if one.fate is Fate.ASIDE]
        aside += [
            (one.name, one.uid, str(result))
            for one, result in zip(to_take, results, strict=True)
            if isinstance(result, DropError)
        ]
        expired = [one for one in found if one.fate is Fate.REMOVE]
        dealt_with = results.count(None) + await self._put_aside(aside) + await self._expire(expired)
        later = [str(result) for result in results if isinstance(result, _LaterError)]
        if later:
            self._log.error("cannot take dropped messages now", reason=later[0], files=len(later))
        if dealt_with:
            await self._run(self._folder.flush)
            await self._forget()
        return 0 if later else dealt_with

    async def _take(self, found: Found, most_octets: int) -> DropError | _LaterError | None:
        """Take one file over and remove it; return why not, if not."""
        async with self._slots:
            try:
                await self._take_or_raise(found, most_octets)
            except FileNotFoundError:
                return None  # its owner took it back
            except UnreadableError as error:
                return self._doubt(found.name, error)
            except (DropError, _LaterError) as error:
                return error
            except (MaildropError, OSError) as error:
                return _LaterError(str(error))
            except Exception as error:  # noqa: BLE001 - one file's trouble must not be that of the rest
                return DropError(f"it cannot be read: {error!r}")
            return None

    def _doubt(self, name: str, error: UnreadableError) -> UnreadableError | _LaterError:
        """Have a file looked at once more before it is put aside: the disk may have failed once."""
        if name in self._doubted or len(self._doubted) >= _MOST_DOUBTED:
            self._doubted.discard(name)
            return error
        self._doubted.add(name)
        return _LaterError(str(error))

    async def _take_or_raise(self, found: Found, most_octets: int) -> None:
        with closing(await self._run(lambda: self._folder.open(found, most_octets))) as file:
            if not self._space.has_room(file.content_octets):
                raise _LaterError("the disk is full")
            login = await self._run(lambda: find_login(file.uid))
            message = await self._accept(file, login)
            self._counts["taken"] += 1
            self._log.info(
                "took a dropped message",
                message=message.queue_id,
                user=login,
                uid=file.uid,
                octets=message.content.size,
                recipients=len(message.envelope.recipients),
            )
            self._tell_event(_make_event(message, login or f"uid {file.uid}"))
            await self._run(lambda: self._folder.remove(file.name, file.identity))
            self._removed.append(file.unique)

    async def _accept(self, file: DropFile, login: str) -> NewMessage:
        """Make a message of a file and put it into the maildrop, unless it was put there before."""
        owner = login or f"uid {file.uid}"
        client = Client("", 0, owner, "local", account=owner)
        envelope = await self._run(lambda: parse_envelope(file.envelope, client))
        arrived = datetime.now().astimezone()
        arrived_us = int(arrived.timestamp() * 1_000_000)
        queue_id = self._maildrop.new_queue_id(arrived_us)
        field = submitted_field(file.uid, login, Stamp(self._configuration.hostname, queue_id, arrived))
        content = self._maildrop.new_content(queue_id)
        try:
            signed = await self._run(lambda: sign_dropped(file, self.keyring, arrived_us // 1_000_000))
            await self._run(lambda: copy_checked(file, signed + field, content))
            copied = await content.finish()
            message = NewMessage(
                queue_id, envelope, copied, arrived_us, origin=Origin.DROP, unique=file.unique
            )
            await self._maildrop.accept(message)
        except Exception:
            content.discard()
            raise
        return message

    async def _forget(self) -> None:
        """Have the keys forgotten whose files no power cut can bring back any more."""
        if not self._removed:
            return
        keys, self._removed = self._removed, []
        try:
            await self._maildrop.forget_unique(keys)
        except MaildropError as error:
            self._removed += keys
            self._log.error("cannot forget dropped messages", reason=str(error))

    async def _put_aside(self, aside: Sequence[tuple[str, int, str]]) -> int:
        """Put things aside and say so, once for each and not more than a batch may say; return how many."""
        moved: list[tuple[str, str]] = []
        removed = 0
        for name, uid, reason in aside:
            try:
                new = await self._run(partial(self._folder.put_aside, name))
            except OSError as error:
                self._say_stuck(name, uid, error)
                continue
            if not new:
                removed += 1
                self._counts["damaged"] += new is not None  # an empty folder
                continue
            moved.append((new, reason))
            if len(moved) <= _MOST_LINES:
                self._log.error("put a dropped file aside", file=name, uid=uid, reason=reason, new_name=new)
        if moved:
            await self._tell_of_damage(moved)
        return len(moved) + removed

    async def _tell_of_damage(self, moved: Sequence[tuple[str, str]]) -> None:
        """Count what was put aside, and tell the postmaster (requirement D-9), whom nobody may so flood."""
        self._counts["damaged"] += len(moved)
        more = max(len(moved) - _MOST_LINES, 0)
        if more:
            self._log.error("put more dropped files aside", files=more)
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_notice_s:
            return
        self._next_notice_s = now_s + NOTICE_S
        try:
            clerk, now_us = make_clerk(self._configuration), time.time_ns() // 1000
            await notify_of_files(moved[:_MOST_LINES], more, self._maildrop, clerk, now_us)
        except MaildropError as error:
            self._log.error("cannot tell the postmaster of dropped files", reason=str(error))

    async def _expire(self, expired: Sequence[Found]) -> int:
        """Remove what writers that died left half written; return how many files."""
        removed = 0
        for one in expired:
            try:
                await self._run(partial(self._folder.remove, one.name))
            except OSError as error:
                self._say_stuck(one.name, one.uid, error)
            else:
                removed += 1
        if removed:
            self._counts["expired"] += removed
            self._log.warning("removed dropped files that were never finished", files=removed)
        return removed

    def _say_stuck(self, name: str, uid: int, error: OSError) -> None:
        """Say once, of as many names as are remembered, that something stays where it should not be."""
        if name not in self._stuck and len(self._stuck) < _MOST_STUCK:
            self._stuck.add(name)
            self._log.error("cannot put a dropped file aside", file=name, uid=uid, reason=error.strerror)

    async def _run(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def import_drop(life: Life, maildrop: Maildrop, tell: Tell) -> None:
    """Import until the end is asked for; a directory that is missing is looked for again and again.

    Raises: ServiceError, where a key of [dkim] cannot be used.
    """
    opened: DropImport | None = None
    keyring = open_keyring(life.configuration.dkim)
    trouble = ""

    async def renew(document: Document, _: Reader) -> None:
        nonlocal keyring
        keyring = open_keyring(document.configuration.dkim)
        if opened is not None:
            opened.keyring = keyring

    def measure() -> Sequence[Family]:
        return () if opened is None else opened.families()

    life.call_at_reload(renew)
    life.measure(measure)
    while not life.ending:
        count = 0
        try:
            if opened is None:
                opened = DropImport(life.configuration, maildrop, life.log, tell, keyring)
                await opened.forget_gone()
            count = await opened.import_some(life.configuration.drop.size)
            trouble = ""
        except (OSError, DropError) as error:
            if str(error) != trouble:
                trouble = str(error)
                life.log.error("cannot read the drop directory; paperpath up makes it", reason=trouble)
        if not count:
            await _pause(life)
    if opened is not None:
        opened.close()


def sign_dropped(file: DropFile, keyring: Keyring, time_s: int) -> bytes:
    """Return the signatures of a file's content; most are of nobody. Raises: DropError, OSError."""
    if keyring.is_empty:
        return b""
    signing = MessageSigning(keyring, time_s)
    file.copy_content(signing.add)
    return signing.finish()


def copy_checked(file: DropFile, field: bytes, content: ContentWriter) -> None:
    """Copy a file's content behind what we put before it. Raises: DropError, MaildropError, OSError."""
    hops = HopCounter()

    def write(octets: bytes) -> None:
        hops.add(octets)
        content.write(octets)

    content.write(field)
    file.copy_content(write)
    if hops.count >= MOST_HOPS:  # whatever feeds mail to mailto may go in circles too
        raise DropError(f"the message has been through {hops.count} hosts")


def _make_event(message: NewMessage, submitter: str) -> Accepted:
    envelope = message.envelope
    shown, more = show_addresses([recipient.address for recipient in envelope.recipients])
    return Accepted(
        message.queue_id,
        session="",
        origin=message.origin.value,
        client="",
        hello="",
        protocol="",
        tls="",
        submitter=submitter,
        message_id="",
        sender=show_address(envelope.sender),
        recipients=shown,
        more_recipients=more,
        size=message.content.size,
    )


def find_login(uid: int) -> str:
    """Return a user's login name, empty where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


async def _pause(life: Life) -> None:
    waiting = asyncio.create_task(life.wait_for_end())
    await asyncio.wait({waiting}, timeout=POLL_S)
    waiting.cancel()
