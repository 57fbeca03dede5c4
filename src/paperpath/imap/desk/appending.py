"""APPEND: messages that come from the client into a mailbox, all or none (RFC 9051 §6.3.12, RFC 3502).

The driver calls `announce` for each message, then `take` for its octets; the command comes at the end.
"""

from paperpath.imap.commands import Append
from paperpath.imap.completion import Completion, ok
from paperpath.imap.desk.desk import Deed, Desk
from paperpath.imap.desk.troubles import TROUBLES, describe_trouble
from paperpath.imap.events import MessageAnnounced
from paperpath.imap.sets import write_numbers


def announce(desk: Desk, message: MessageAnnounced) -> Completion | None:
    """Get ready for a message; return why it cannot come, and then nothing of the command is kept."""
    try:
        if message.number == 1:
            desk.drop_incoming()
            desk.incoming = desk.store.append(message.mailbox)
        assert desk.incoming is not None
        desk.incoming.begin(message.flags, message.date_us, message.size)
    except TROUBLES as error:
        desk.drop_incoming()
        return describe_trouble(error, makes=True)
    return None


def take(desk: Desk, octets: bytes) -> None:
    """Take the next octets of the message. Where they cannot be written, the end of the command says so."""
    if desk.incoming is None:
        return
    try:
        desk.incoming.write(octets)
    except OSError as error:
        desk.drop_incoming()
        desk.append_trouble = describe_trouble(error, makes=True)


def append(desk: Desk, _: Append) -> Deed:
    """Put what came into the mailbox."""
    yield from ()
    incoming, desk.incoming = desk.incoming, None
    if incoming is None:
        return desk.append_trouble
    try:
        arrival = incoming.finish()
    finally:
        incoming.abandon()
    return ok("Done", f"APPENDUID {arrival.uid_validity} {write_numbers(arrival.uids)}")
