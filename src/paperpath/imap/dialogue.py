"""What is done about the events of the core, one after another: logins, commands, messages, IDLE.

Driven by the session, in one task. Commands are carried out in threads, turn by turn, and what they give is
sent before more is made. A command is answered when what it did is durable (promise P2).
"""

import asyncio
import secrets
from functools import partial
from pathlib import Path
from typing import Protocol

from paperpath.imap import events
from paperpath.imap.commands import (
    Append,
    Close,
    Command,
    Compress,
    Copy,
    Delete,
    Expunge,
    Fetch,
    Idle,
    Move,
    Rename,
    Store,
)
from paperpath.imap.completion import Completion, ok
from paperpath.imap.desk.appending import announce, take
from paperpath.imap.desk.carrying_out import carry_out, tell_while_idle
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.desk.sharing import SharedLook
from paperpath.imap.server import ServerConnection
from paperpath.imap.service import Service
from paperpath.imap.watch import Waiting
from paperpath.intake.guest import Guest
from paperpath.service.log import Log
from paperpath.smtp.events import KeysWanted, LoginEvent

_NONCE_OCTETS = 18
_LOST = "The mailbox that is selected is no more"
_CHANGING = (Append, Close, Copy, Delete, Expunge, Fetch, Move, Rename, Store)
_MOST_SHOWN = 200  # characters of what a client says that it is


class Link(Waiting, Protocol):
    """The connection, as the dialogue sees it."""

    is_gone: bool

    def send(self, octets: bytes) -> None:
        """Send octets."""

    async def wait_until_read(self) -> None:
        """Wait until there is room for more to send, or nobody to send it to."""

    def start_tls(self) -> None:
        """Take what comes from now on for TLS."""

    def start_compression(self) -> None:
        """Take what comes from now on for compressed, and compress what goes."""

    def close(self) -> None:
        """Close once the client has read what was sent."""


class Dialogue:
    """One session's dialogue."""

    def __init__(self, service: Service, link: Link, core: ServerConnection, guest: Guest, log: Log) -> None:
        """Begin with the greeting, which the core has ready."""
        self._service = service
        self._link = link
        self._guest = guest
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._desk: Desk | None = None
        self._idles = False
        self._watched: Path | None = None  # the folder that it is told of while it idles
        self._has_news = False  # something may have happened in the mailbox that is selected
        self._shared: SharedLook | None = None  # how to see what
        self._is_silent = False
        self.core = core

    @property
    def is_logged_in(self) -> bool:
        """Whether somebody has logged in."""
        return self._desk is not None

    async def advance(self) -> None:
        """Do all that there is to do by now."""
        while not self._link.is_gone:
            event = self.core.next_event()
            self._flush()
            if event is not None:
                await self._handle(event)
            elif self._idles and self._has_news:
                await self._tell_news()
            elif self._is_silent:
                await self._rest()
            else:
                return
            await self._link.wait_until_read()

    def note_news(self, shared: SharedLook) -> None:
        """Have it find out, when it goes on, whether there is news; only who idles is told."""
        self._has_news, self._shared = True, shared

    def note_silence(self) -> None:
        """Have it let go, when it goes on, of what is held open for who says something soon."""
        self._is_silent = self.is_logged_in

    async def end(self) -> None:
        """Let go of everything: nobody is there any more."""
        self._stop_idling()
        if self._desk is not None:
            await self._service.turns.run(self._desk.close)

    def _flush(self) -> None:
        self._link.send(self.core.octets_to_send())

    async def _handle(self, event: events.Event) -> None:
        match event:
            case events.CommandReceived(tag, command):
                await self._take_command(tag, command)
            case events.MessageAnnounced():
                await self._announce(event)
            case events.MessageReceived(octets):
                await self._service.turns.run(partial(take, self._found_desk, octets))
            case events.MessageEnded() | events.CapabilitiesTold():
                pass
            case events.AppendDropped():
                await self._service.turns.run(self._found_desk.drop_incoming)
            case events.IdleEnded():
                self._stop_idling()
            case events.TLSRequested():
                self.core.complete(ok("Begin TLS now"))
                self._flush()
                self._link.start_tls()
            case events.ClientIdentified(fields):
                self._log.info("client", **_show_identity(fields))
            case events.CommandRefused(name, completion):
                self._service.metrics.commands.add((name or "unknown", completion.condition.value))
            case events.LoggedOut():
                self._link.close()
            case _:
                await self._log_in(event)

    # Logins

    async def _log_in(self, event: LoginEvent) -> None:
        logins = self._service.logins
        if isinstance(event, KeysWanted) and (keys := logins.find_keys(event, self._guest)) is not None:
            self.core.give_keys(keys, secrets.token_urlsafe(_NONCE_OCTETS))
            return
        admission = await logins.judge(event, self._guest)
        self._service.metrics.logins.add(admission.ruling.value)
        if admission.store is None:
            self._log.info("login refused", mechanism=event.mechanism, ruling=admission.ruling.value)
        else:
            settings = self._service.settings
            self._desk = Desk(
                admission.store, self.core.dialect, settings.message_octets, self._service.clock_us
            )
            self._log = self._log.bind(account=str(admission.account))
            self._log.info("logged in", mechanism=event.mechanism)
        self.core.complete(admission.completion)

    # Commands

    async def _take_command(self, tag: str, command: Command) -> None:
        match command:
            case Idle():
                self._begin_to_idle()
            case Compress():
                self._complete(command, ok("Compressed from now on"))
                self._flush()
                self._link.start_compression()
                self.core.compression_started()
            case _ if self._desk is None:  # NOOP
                self._complete(command, ok("Done"))
            case _:
                completion = await self._carry_out(carry_out(self._desk, command, tag, self._tell_trouble))
                if completion is not None:
                    self._complete(command, completion)
                    self._leave_lost_mailbox()
                if isinstance(command, _CHANGING):
                    self._service.watch.wake()

    async def _carry_out(self, deed: Deed) -> Completion | None:
        """Send what a deed gives, turn by turn; return how it ended, unless the client is gone."""
        turns = self._service.turns
        is_over = False
        try:
            while not self._link.is_gone:
                turn = await turns.take(deed)
                self.core.send(turn.octets)
                if turn.completion is not None:
                    is_over = True
                    return turn.completion
                self._flush()
                await self._link.wait_until_read()
        finally:
            if not is_over:
                await turns.run(deed.close)
        return None

    def _complete(self, command: Command, completion: Completion) -> None:
        name, result = type(command).__name__.upper(), completion.condition.value
        self._service.metrics.commands.add((name, result))
        self.core.complete(completion)

    def _leave_lost_mailbox(self) -> None:
        if self._desk is not None and self._desk.is_lost:
            self.core.close(_LOST)

    def _tell_trouble(self, error: Exception) -> None:
        """Tell the operator, from a thread."""
        self._loop.call_soon_threadsafe(
            partial(self._log.error, "the mail store is in trouble", reason=repr(error))
        )

    # Messages on their way in

    async def _announce(self, message: events.MessageAnnounced) -> None:
        refusal = await self._service.turns.run(partial(announce, self._found_desk, message))
        if refusal is None:
            self.core.go_ahead()
        else:
            self.core.complete(refusal)

    # IDLE

    def _begin_to_idle(self) -> None:
        self.core.go_ahead()
        self._idles = self._has_news = True
        self._shared = None  # it has not been told of anything yet
        self._watched = self._found_desk.folder_path
        if self._watched is not None:
            self._service.watch.add(self._link, self._watched)
        self._service.metrics.idling += 1

    def _stop_idling(self) -> None:
        if self._idles:
            self._idles = False
            if self._watched is not None:
                self._service.watch.discard(self._link, self._watched)
            self._service.metrics.idling -= 1

    async def _tell_news(self) -> None:
        """Tell what is new while the client idles, and rest until there is more."""
        self._has_news, shared, self._shared = False, self._shared, None
        await self._carry_out(tell_while_idle(self._found_desk, self._tell_trouble, shared))
        self._leave_lost_mailbox()
        self._flush()

    async def _rest(self) -> None:
        self._is_silent = False
        await self._service.turns.run(self._found_desk.rest)

    @property
    def _found_desk(self) -> Desk:
        assert self._desk is not None
        return self._desk


def _show_identity(fields: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return of what a client says that it is, what helps to understand it."""
    said = {name.lower(): value[:_MOST_SHOWN] for name, value in fields}
    return {name: said[name] for name in ("name", "version", "os") if name in said}
