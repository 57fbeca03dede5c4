"""Who logs in to a session, and whose word that is.

The way in decides, at its desk; the session waits for it as it waits for the maildrop. What is decided once
holds until the session ends, or TLS begins.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from paperpath.intake.guest import Guest
from paperpath.mail.address import Mailbox
from paperpath.mail.reply import Reply
from paperpath.service.log import Log
from paperpath.smtp import replies
from paperpath.smtp.events import KeysWanted, LoginEvent
from paperpath.smtp.scram import ScramKeys
from paperpath.smtp.server import ServerConnection

_NONCE_OCTETS = 18


@dataclass(frozen=True, slots=True)
class LoginResult:
    """What somebody is told who wants to log in; `account`, where that is who he is."""

    reply: Reply
    account: Mailbox | None = None


class LoginDesk(Protocol):
    """Where a way in has logins judged."""

    def find_keys(self, event: KeysWanted, guest: Guest) -> ScramKeys | None:
        """Return by which keys a name is to prove itself, also one that is unknown.

        `None`: not now; then the event is judged at once.
        """

    async def judge(self, event: LoginEvent, guest: Guest) -> LoginResult:
        """Judge what was proved, or claimed."""


class Logins:
    """The logins of one session, each judged while the session reads nothing.

    `done` is called with the mechanism and what came of it, but for a client that has left.
    """

    def __init__(self, desk: LoginDesk, log: Log, done: Callable[[str, LoginResult], None]) -> None:
        """Begin with nobody."""
        self._desk = desk
        self._log = log
        self._done = done
        self._judging: asyncio.Task[LoginResult] | None = None

    @property
    def is_judging(self) -> bool:
        """Whether a client waits."""
        return self._judging is not None

    def take(self, event: LoginEvent, core: ServerConnection, guest: Guest) -> None:
        """Answer an event of the core, now or when it is judged."""
        if isinstance(event, KeysWanted) and (keys := self._desk.find_keys(event, guest)) is not None:
            core.give_keys(keys, secrets.token_urlsafe(_NONCE_OCTETS))
            return
        self._judging = asyncio.create_task(self._desk.judge(event, guest))
        self._judging.add_done_callback(lambda judging: self._conclude(event.mechanism, judging))

    def give_up(self) -> None:
        """Call nobody any more."""
        judging, self._judging = self._judging, None
        if judging is not None:
            judging.cancel()

    def _conclude(self, mechanism: str, judging: "asyncio.Task[LoginResult]") -> None:
        if judging.cancelled() or self._judging is not judging:
            return
        self._judging = None
        error = judging.exception()
        if error is None:
            self._done(mechanism, judging.result())
            return
        self._log.error("cannot judge a login", reason=repr(error))
        self._done(mechanism, LoginResult(replies.R454_NO_LOGIN))
