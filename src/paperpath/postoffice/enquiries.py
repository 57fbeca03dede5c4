"""What users of this host may ask the post office: which mail is in the queue, and to try it (J-10, J-15).

Asked by mailq and `sendmail -q`. Root and the user of the programs learn of all mail. Everybody else learns
of what he handed in on this host himself, and of that what he knows or would be told: not whom an alias
stands for, and not why the operator holds something. That is also what is tried at once because he asks.
Nothing else is changed by asking.
"""

import os
from collections.abc import Mapping

from paperpath.config.places import ENQUIRIES_NAME
from paperpath.maildrop.interface import Maildrop
from paperpath.maildrop.values import QueueEntry, State
from paperpath.postoffice.flushing import Flushing
from paperpath.service.asking import Object
from paperpath.service.errors import ServiceError
from paperpath.service.program import Life
from paperpath.service.public_server import Asker, PublicCommand, PublicServer

PAGE = 200  # recipients in one answer: some milliseconds
_ROOT = 0
_HIGHEST = 2**63 - 1


def open_enquiries(life: Life, maildrop: Maildrop, flushing: Flushing) -> PublicServer:
    """Return the answering end; to be entered."""
    folder, operators = life.configuration.run_folder, {_ROOT, os.geteuid()}
    return PublicServer(
        folder, ENQUIRIES_NAME, life.name, make_answers(maildrop, flushing), operators, life.log
    )


def make_answers(maildrop: Maildrop, flushing: Flushing) -> Mapping[str, PublicCommand]:
    """Return what can be asked, by name."""

    def list_queue(asker: Asker, request: Object) -> Object:
        """List a page of open recipients, message by message, and say where the next one begins, if any."""
        entries = maildrop.browse(_find_user(asker), _read_place(request.get("after", [0, 0])), PAGE)
        last = entries[-1] if len(entries) == PAGE else None
        return {
            "entries": [_show(entry, is_operator=asker.is_operator) for entry in entries],
            "after": last and [last.message_id, last.recipient_id],
        }

    def flush(asker: Asker, request: Object) -> Object:
        """Have mail that waits tried at once, or say that this was done just now."""
        return {"begun": flushing.ask(_find_user(asker))}

    return {"queue": list_queue, "flush": flush}


def _find_user(asker: Asker) -> str | None:
    """Return whose mail is meant: as a drop file's owner and the local socket's client stand in the books."""
    return None if asker.is_operator else asker.login or f"uid {asker.uid}"


def _read_place(place: object) -> tuple[int, int]:
    match place:
        case [int(message), int(recipient)] if 0 <= message <= _HIGHEST and 0 <= recipient <= _HIGHEST:
            return message, recipient
    raise ServiceError("after: expected two numbers", os.EX_USAGE)


def _show(entry: QueueEntry, *, is_operator: bool) -> Object:
    is_shown_whole = is_operator or not entry.expanded_via
    is_told_why = is_operator or (is_shown_whole and entry.state is not State.HELD)
    return {
        "queue_id": entry.queue_id,
        "arrived_us": entry.arrived_us,
        "size": entry.size,
        "sender": entry.sender,
        "recipient": entry.address if is_shown_whole else entry.accepted_address,
        "state": entry.state.value,
        "reason": (entry.last_reply or entry.suspension) if is_told_why else "",
    }
