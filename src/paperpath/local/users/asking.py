"""Asking the helper for one delivery: blocking, for the threads of smtpld.

Whatever becomes of the helper meanwhile is an answer, too; what goes wrong with the content is raised.
"""

import socket
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from paperpath.local.users.packets import (
    END,
    GO,
    MOST_WORDS,
    Answer,
    Request,
    format_request,
    parse_answer,
    split_content,
)
from paperpath.local.users.place import SOCKET
from paperpath.mail.reply import make_reply
from paperpath.service.socket_folder import SocketFolder

NOT_THERE = Answer(make_reply(451, "4.3.0", "The helper that delivers to users does not run"), is_stuck=True)
LOST = Answer(
    make_reply(451, "4.3.0", "The helper that delivers to users ended half-way"),
    uncertain=True,
    is_stuck=True,
)


def ask_helper(folder: Path, request: Request, content: Iterable[bytes], patience_s: float) -> Answer:
    """Have a delivery made, whose content is read only if it is wanted. Raises: what reading it raises."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as helper:
        helper.settimeout(patience_s)
        try:
            with closing(SocketFolder(folder, make=False)) as place:
                helper.connect(str(place.address(SOCKET)))
        except OSError:
            return NOT_THERE
        try:
            helper.send(format_request(request))
            said = helper.recv(MOST_WORDS)
            if said == GO:
                for packet in split_content(content):
                    helper.send(packet)
                helper.send(END)
                said = helper.recv(MOST_WORDS)
        except ConnectionError:
            said = _hear_last_words(helper)
        except TimeoutError:
            return LOST
    return parse_answer(said) or LOST


def _hear_last_words(helper: socket.socket) -> bytes:
    """Return what was said before the connection broke: a delivery that took too long is told of there."""
    with suppress(OSError):
        return helper.recv(MOST_WORDS)
    return b""
