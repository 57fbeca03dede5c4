"""Invariant: parameters that are taken say the same when written and read again; others get 501 or 555."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from paperpath.mail.envelope import SenderParameters
from paperpath.smtp.parameters import read_recipient_parameters, read_sender_parameters
from paperpath.smtp.refusal import CommandError
from paperpath.smtp.settings import Settings
from tests.fuzz.pace import at_pace
from tests.fuzz.wire import ALL_SETTINGS

Read = TypeVar("Read")

MOST_OCTETS = 4096
WORDS = (
    b" ", b"\t", b"=", b",", b";", b"+", b" SIZE=", b" BODY=7BIT", b" BODY=8BITMIME", b" BODY=BINARYMIME",
    b" SMTPUTF8", b" RET=FULL", b" RET=HDRS", b" ENVID=", b" NOTIFY=NEVER", b" NOTIFY=SUCCESS,FAILURE,DELAY",
    b" ORCPT=rfc822;", b" ORCPT=utf-8;", b"\\x{C5}", b"+3D", "ſ".encode(), "ı".encode(), "é".encode(),
)  # fmt: skip


def check(octets: bytes) -> None:
    """Read it as parameters of MAIL and of RCPT, with all settings."""
    for settings in ALL_SETTINGS:
        at_pace(partial(check_sender, octets, settings), len(octets), 20)
        for international in (False, True):
            check_recipient(octets, settings, international=international)


def check_sender(octets: bytes, settings: Settings) -> None:
    """Read and write what stands behind MAIL."""
    read = attempt(lambda: read_sender_parameters(octets, settings))
    if read is None:
        return
    parameters, size = read
    check_octets(octets)
    assert settings.binary or parameters.body != "BINARYMIME"
    assert settings.dsn or not (parameters.ret or parameters.envid)
    assert parameters.body in ("", "7BIT", "8BITMIME", "BINARYMIME")
    assert parameters.ret in ("", "FULL", "HDRS")
    assert parameters.envid.encode("ascii") in octets
    assert size is None or 0 <= size < 10**20
    assert read_sender_parameters(write_sender(parameters, size), settings) == (parameters, size)


def write_sender(parameters: SenderParameters, size: int | None) -> bytes:
    """Write what stands behind MAIL."""
    words = [
        "" if size is None else f" SIZE={size}",
        f" BODY={parameters.body}" if parameters.body else "",
        " SMTPUTF8" if parameters.international else "",
        f" RET={parameters.ret}" if parameters.ret else "",
        f" ENVID={parameters.envid}" if parameters.envid else "",
    ]
    return "".join(words).encode()


def check_recipient(octets: bytes, settings: Settings, *, international: bool) -> None:
    """Read and write what stands behind RCPT."""
    read = attempt(lambda: read_recipient_parameters(octets, settings, international=international))
    if read is None:
        return
    notify, orcpt = read
    check_octets(octets)
    assert settings.dsn or not (notify or orcpt)
    assert notify in ("", "NEVER") or {"SUCCESS", "FAILURE", "DELAY"}.issuperset(notify.split(","))
    assert orcpt.encode() in octets
    assert international or orcpt.isascii()
    written = (f" NOTIFY={notify}" if notify else "") + (f" ORCPT={orcpt}" if orcpt else "")
    assert read_recipient_parameters(written.encode(), settings, international=international) == read


def attempt(read: Callable[[], Read]) -> Read | None:
    """Read; `None` where that is refused."""
    code = 0
    try:
        return read()
    except CommandError as error:
        code = error.reply.code
    assert code in (501, 555)
    return None


def check_octets(octets: bytes) -> None:
    """Assert that nothing that is taken has a control in it, or ill-formed UTF-8 (A-33)."""
    assert not any((octet < 32 and octet != 9) or octet == 127 for octet in octets)
    octets.decode("utf-8")
