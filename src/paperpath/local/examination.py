"""Who signed a message and who logged in, looked into before it is delivered (RFC 6376, RFC 8601).

Made by smtpld where it is configured, for each message once, however many recipients it has. Files are read,
and keys applied, in threads; the DNS is asked for all keys of a message at once, for ten seconds at most.
Whatever a message, the DNS or a disk does is a finding and raises nothing, so it keeps no mail from its
mailbox.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from paperpath.dkim.findings import Verdict
from paperpath.dkim.verification import Keys, Verification
from paperpath.dns.answer import Status
from paperpath.dns.records import TXT
from paperpath.dns.resolver import Resolver
from paperpath.local.findings import Findings
from paperpath.mail.authentication_results import Result, auth_result, results_field
from paperpath.mail.header import header_section
from paperpath.maildrop.checked import DamagedError, read_unchecked
from paperpath.maildrop.values import ClaimedMessage, Content, Origin
from paperpath.service.log import Log

DNS_S = 10.0
_THREADS = 2
_MOST_HEADER_OCTETS = 2**20
_MOST_KEPT = 1000  # findings, so that recipients who are claimed later, or again, have the same

_UNREADABLE = Result("dkim", Verdict.TEMPERROR, "the message could not be looked at")
_TOO_LONG = Result("dkim", Verdict.NEUTRAL, "the header is too long")


class Examiner:
    """Says of messages what stands in the field of ours. Lives and is closed in one event loop."""

    def __init__(self, authserv_id: str, resolver: Resolver, log: Log) -> None:
        """Begin knowing of no message; the resolver is closed with this."""
        self._authserv_id = authserv_id
        self._resolver = resolver
        self._log = log
        self._threads = ThreadPoolExecutor(_THREADS, "examination")
        self._known: OrderedDict[str, asyncio.Task[Findings]] = OrderedDict()

    async def examine(self, message: ClaimedMessage) -> Findings:
        """Return what is found of a message; who stops waiting stops nobody else."""
        task = self._known.get(message.queue_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._examine(message))
            self._known[message.queue_id] = task
            if len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Break off what is under way."""
        tasks = [task for task in self._known.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._resolver.close()
        self._threads.shutdown(cancel_futures=True)

    async def _examine(self, message: ClaimedMessage) -> Findings:
        results = [auth_result(message.client.account)] if message.client.account else []
        remark = ""
        if message.origin is not Origin.REPORT:  # which we made ourselves
            try:
                signed, remark = await self._verify(message)
            except (DamagedError, OSError):  # delivery meets it too, and says so
                signed = [_UNREADABLE]
            except Exception as error:  # noqa: BLE001 - whatever it was, it is no reason to keep mail
                self._log.error("cannot verify", queue_id=message.queue_id, reason=repr(error))
                signed = [_UNREADABLE]
            results += signed
        return Findings(self._authserv_id, results_field(self._authserv_id, results, remark))

    async def _verify(self, message: ClaimedMessage) -> tuple[list[Result], str]:
        """Return what came of each signature, and what is to be said of others. Raises: see `_read`."""
        loop = asyncio.get_running_loop()
        arrived_s = message.arrived_us // 1_000_000
        if message.content.octets is None:
            verification = await loop.run_in_executor(self._threads, _read, message.content, arrived_s)
        else:  # little enough not to be worth a thread
            verification = _read(message.content, arrived_s)
        if verification is None:
            return [_TOO_LONG], ""
        unseen = verification.unseen
        if not verification.key_names:
            results = verification.conclude({})
        else:
            keys = await self._find_keys(verification.key_names)
            results = await loop.run_in_executor(self._threads, verification.conclude, keys)
        return results, f"{unseen} more signatures were not looked at" if unseen else ""

    async def _find_keys(self, names: Iterable[str]) -> Keys:
        found = await asyncio.gather(*map(self._find_key, names))
        return dict(found)

    async def _find_key(self, name: str) -> tuple[str, tuple[bytes, ...] | None]:
        try:
            async with asyncio.timeout(DNS_S):
                answer = await self._resolver.resolve(name, TXT)
        except TimeoutError:
            return name, None
        if answer.is_temporary:
            return name, None
        return name, answer.records if answer.status is Status.FOUND else ()


def _read(content: Content, arrived_s: int) -> Verification | None:
    """Read a content as far as signatures need it; `None` where its header is too long to be looked at.

    Raises: DamagedError; OSError.
    """
    chunks = read_unchecked(content)
    beginning = next(chunks, b"")
    while not _has_header(beginning) and len(beginning) <= _MOST_HEADER_OCTETS:
        if not (chunk := next(chunks, b"")):
            break
        beginning += chunk
    header = header_section(beginning)
    if len(header) > _MOST_HEADER_OCTETS:
        return None
    verification = Verification(header, arrived_s)
    if verification.wants_body:
        verification.add(beginning[len(header) + len(b"\r\n") :])
        for chunk in chunks:
            verification.add(chunk)
    return verification


def _has_header(octets: bytes) -> bool:
    return b"\r\n\r\n" in octets or octets.startswith(b"\r\n")
