"""What the exit code of a program says of a delivery: pure (requirement F-15).

Called by the program agent. There are two conventions: that of sysexits.h, by which most programs for mail
go, and qmail's, by which an unknown code never loses anything.
"""

from typing import Literal

Codes = Literal["sysexits", "qmail"]

Verdict = tuple[int, str]
"""The code of a reply, and its enhanced status (RFC 3463)."""

_DONE: Verdict = 250, "2.1.5"
_LATER: Verdict = 451, "4.3.0"
_NEVER: Verdict = 554, "5.3.0"
_USAGE, _DATA, _NO_USER, _NO_HOST, _SOFTWARE, _OS = 64, 65, 67, 68, 70, 71
_CANNOT_CREATE, _IO, _TEMPORARY, _PROTOCOL, _NO_PERMISSION, _CONFIGURATION = 73, 74, 75, 76, 77, 78
_PERMANENT: dict[int, Verdict] = {
    _USAGE: (554, "5.3.5"),
    _DATA: (554, "5.6.0"),
    _NO_USER: (550, "5.1.1"),
    _NO_HOST: (550, "5.1.2"),
    _SOFTWARE: _NEVER,
    _CANNOT_CREATE: (550, "5.2.0"),
    _PROTOCOL: (554, "5.5.0"),
    _NO_PERMISSION: (550, "5.7.1"),
    _CONFIGURATION: (554, "5.3.5"),
}
_QMAIL_DONE = frozenset({0, 99})  # 99: the programs after this one are not to run, and there are none
_QMAIL_NEVER = frozenset({100, 112})
_QMAIL_PERMANENT = frozenset({_USAGE, _DATA, _SOFTWARE, _PROTOCOL, _NO_PERMISSION, _CONFIGURATION})


def judge_exit(code: int | None, codes: Codes) -> Verdict:
    """Say what an exit code means; negative: ended by a signal, `None`: its time was over."""
    if code is None or code < 0:
        return _LATER
    return _judge_by_sysexits(code) if codes == "sysexits" else _judge_by_qmail(code)


def _judge_by_sysexits(code: int) -> Verdict:
    if code == 0:
        return _DONE
    if code in (_OS, _IO, _TEMPORARY):
        return _LATER
    return _PERMANENT.get(code, _NEVER)


def _judge_by_qmail(code: int) -> Verdict:
    if code in _QMAIL_DONE:
        return _DONE
    if code in _QMAIL_PERMANENT:
        return _PERMANENT[code]
    return _NEVER if code in _QMAIL_NEVER else _LATER
