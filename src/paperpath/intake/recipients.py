"""The recipients of one session: what each is answered, and when (requirements X-10, C-24 to C-26).

Used by the session. A recipient is judged as soon as the lists have ruled on the client; the limits, the
lists and the way in must agree. Then the tarpit may hold the reply back. Meanwhile nothing is read from the
client, so whether it is still there is looked at every now and then (promise P6).
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from paperpath.intake.arrival import Arrival
from paperpath.intake.chronicle import Command
from paperpath.intake.limits import Limit
from paperpath.intake.service import Service
from paperpath.intake.transaction import MailTransaction
from paperpath.mail.address import Mailbox, format_path
from paperpath.mail.reply import Reply
from paperpath.mail.shown import show_path
from paperpath.smtp.events import RecipientReceived
from paperpath.smtp.server import ServerConnection


class Recipients:
    """Judges them, one at a time.

    `answer` is called with each reply that does not come at once, `refuse` with each command that is refused.
    """

    def __init__(
        self,
        service: Service,
        arrival: Arrival,
        core: ServerConnection,
        answer: Callable[[Reply], None],
        refuse: Callable[[Command, Reply], None],
    ) -> None:
        """Begin without any."""
        self._service = service
        self._arrival = arrival
        self._core = core
        self._answer = answer
        self._refuse = refuse
        self._delay = service.guard.make_delay()
        self._loop = asyncio.get_running_loop()

    @property
    def is_waiting(self) -> bool:
        """Whether the client waits for a reply."""
        lookup = self._arrival.lookup
        return self.is_held_back or (lookup is not None and lookup.is_awaited)

    @property
    def is_held_back(self) -> bool:
        """Whether it waits for nothing but the tarpit."""
        return self._delay is not None and self._delay.is_waiting

    def take(self, event: RecipientReceived, transaction: MailTransaction) -> None:
        """Answer a recipient, now or later (requirement C-24)."""
        lookup = self._arrival.lookup
        if lookup is None or lookup.ruling is not None:
            self._settle(event, transaction, self._core.reply)
        else:
            lookup.wait(lambda: self._settle(event, transaction, self._answer))

    def check(self) -> None:
        """See whether a client that is held back is still to wait; called every now and then."""
        if self._delay is not None and self._delay.is_waiting:
            if self._arrival.wire.is_abandoned:
                self._arrival.wire.abort()
            else:
                self._delay.check()

    def give_up(self) -> None:
        """Answer nobody any more."""
        if self._arrival.lookup is not None:
            self._arrival.lookup.give_up()
        if self._delay is not None:
            self._delay.give_up()

    def _settle(
        self, event: RecipientReceived, transaction: MailTransaction, answer: Callable[[Reply], None]
    ) -> None:
        reply = self._judge(event, transaction)
        if self._hold_back(reply, transaction):
            self._arrival.wire.set_reading(wanted=False)
        else:
            answer(reply)

    def _hold_back(self, reply: Reply, transaction: MailTransaction) -> bool:
        """Let the client wait for a reply if it is to (requirement C-25)."""
        delay, arrival = self._delay, self._arrival
        if delay is None or arrival.guest.is_admitted:
            return False
        if not delay.hold_back(reply, transaction, self._core.pending_octets, self._answer):
            return False
        if not transaction.is_told_held_back:
            transaction.is_told_held_back = True
            arrival.log.info("held back", recipients=transaction.counted)
        return True

    def _judge(self, event: RecipientReceived, transaction: MailTransaction) -> Reply:
        recipient = event.recipient
        address = recipient.address
        reply, found = self._find_reply(address)
        if event.spaced:
            self._arrival.log.info("space before the recipient's path")
        if reply.code >= 400:
            self._refuse(Command("RCPT", f"TO:{format_path(address)}", 0, show_path(address)), reply)
        else:
            transaction.add(recipient if found is address else replace(recipient, address=found))
        return reply

    def _find_reply(self, recipient: Mailbox) -> tuple[Reply, Mailbox]:
        """Ask the limits, the lists and the way in; who is refused learns no more."""
        service, arrival = self._service, self._arrival
        now_s = self._loop.time()
        refusal = service.guard.check(Limit.RECIPIENT_RATE, arrival.guest, arrival.network, now_s)
        if refusal is not None:
            return refusal, recipient
        ruling = None if arrival.lookup is None else arrival.lookup.ruling
        if ruling is not None:
            arrival.chronicle.rule(ruling)
            if (refusal := ruling.judge(recipient)) is not None:
                return refusal, recipient
        return service.way_in.judge_recipient(recipient, arrival.guest)
