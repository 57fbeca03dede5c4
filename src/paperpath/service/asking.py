"""Asking a program that runs: one line of JSON out, one line of JSON in, over a local socket. Blocking.

Called by whoever asks a control socket, and by mailq, which has to answer at once: it imports nothing heavy.
"""

import json
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from paperpath.service.errors import ServiceError
from paperpath.service.socket_folder import SocketFolder

Object = dict[str, Any]

ASK_S = 10.0
MOST_ANSWER_OCTETS = 4 * 1024 * 1024
_TIMEVAL = struct.Struct("@ll")


def exchange(
    folder: Path,
    socket_name: str,
    program: str,
    request: Mapping[str, object],
    timeout_s: float = ASK_S,
    descriptors: Sequence[int] = (),
) -> Object:
    """Ask, and wait for the answer; open files may go with the request. `program` is who is to be blamed.

    Raises: ServiceError, where it does not run, does not answer, or answers that it cannot.
    """
    octets = json.dumps(request).encode() + b"\n"
    try:
        with closing(SocketFolder(folder, make=False)) as sockets, socket.socket(socket.AF_UNIX) as asker:
            _connect(asker, sockets.address(socket_name), timeout_s)
            asker.settimeout(timeout_s)
            with suppress(BrokenPipeError):  # who answers early closes early: the answer is there to be read
                sent = socket.send_fds(asker, [octets], descriptors) if descriptors else 0
                asker.sendall(octets[sent:])  # even where nothing is left, the kernel is asked to send it
            with asker.makefile("rb") as answers:
                line = answers.readline(MOST_ANSWER_OCTETS)
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise ServiceError(f"{program} is not running") from error
    except PermissionError as error:
        raise ServiceError(f"{program} may not be asked by this user", os.EX_NOPERM) from error
    except OSError as error:
        raise ServiceError(f"{program} does not answer: {error}") from error
    answer = parse_object(line)
    if answer is None:
        raise ServiceError(f"{program} does not answer as expected")
    if "error" in answer:
        exit_code = answer.get("exit_code", os.EX_UNAVAILABLE)
        raise ServiceError(f"{program}: {answer['error']}", exit_code)
    return answer


def _connect(asker: socket.socket, address: Path, timeout_s: float) -> None:
    """Connect, and wait for that in a queue of others if need be: a non-blocking socket would give up."""
    seconds, part = divmod(timeout_s, 1)
    asker.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(int(seconds), int(part * 1e6)))
    asker.connect(str(address))


def parse_object(line: bytes) -> Object | None:
    """Read a line of JSON; `None` where it is none, or no object."""
    with suppress(ValueError, RecursionError):
        value = json.loads(line)
        if isinstance(value, dict):
            return value
    return None
