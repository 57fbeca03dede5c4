"""Scenarios of a mail program that works by IMAP on a mailbox that smtpld delivers into.

imapd's clock is ahead, so that by it no directory changed just now, and it looks at none a second time.
"""

from dataclasses import replace

from paperpath.accounts.secrets import change_secret
from paperpath.mail.address import parse_mailbox
from tests.crash.mail_program import Look, Work, copy, expunge, make, mark, move, put
from tests.crash.points import Plan, parse_point
from tests.crash.programs import IMAP, LOCAL, OFFICE, RELAY
from tests.crash.site import Site
from tests.crash.steps import ADMIN, DAYS_S, JOE, LARGE, LATER_S, Scenario, Step, to
from tests.support.submission import ACCOUNT, make_secret

_TABLE = '\n[imap]\nlisten_tls = ["127.0.0.1:1"]\n'
_KEPT = "Kept"
_INDEX = "paperpath-index"


def read() -> Scenario:
    """All that changes a mailbox; a message was delivered by who died then, and is moved away."""
    messages = (to(1, JOE, ADMIN), to(2, JOE, octets=LARGE), to(3, JOE))
    works = (
        Look(),
        make(_KEPT),
        put("INBOX", 101, 102, flags=rb"\Flagged New"),
        mark("INBOX", (1, 3, 101), b"+FLAGS", rb"\Answered Todo"),
        copy("INBOX", (101, 102), _KEPT),
        move("INBOX", (2, 3), _KEPT),
        mark(_KEPT, (101,), b"+FLAGS", rb"\Deleted"),
        expunge(_KEPT, 101),
        Look(),
    )
    died = Plan(parse_point("settle delivered / COMMIT / 1"))
    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        Step(LOCAL, plan=died),
        _read(*works),
        Step(OFFICE, ahead_s=LATER_S),
        Step(LOCAL, ahead_s=LATER_S),
        _read(Look()),
    ]
    return Scenario("read", steps, recovery=[_look_late(Look())], prepare=_prepare)


def rebuilt() -> Scenario:
    """Indexes that are damaged: all is there by the files, with new UIDs."""
    messages = (to(1, JOE), to(2, JOE), to(3, JOE, octets=LARGE))
    before = (Look(), make(_KEPT), put(_KEPT, 101, flags=b"New"), mark("INBOX", (1, 3), b"+FLAGS", b"Todo"))
    works = (
        Look(anew=True),
        mark("INBOX", (1, 2), b"+FLAGS", rb"\Flagged Another"),
        move("INBOX", (2, 3), _KEPT),
        Look(),
    )
    steps = [
        Step(RELAY, messages),
        Step(OFFICE),
        Step(LOCAL),
        _read(*before),
        replace(_read(*works), before=_damage),
    ]
    return Scenario("rebuilt", steps, recovery=[_look_late(Look(anew=True))], prepare=_prepare)


def _read(*works: Work) -> Step:
    """Have a mail program work."""
    return Step(IMAP, works=works, ahead_s=LATER_S)


def _look_late(look: Look) -> Step:
    """Have it look when whatever was left half written has no owner any more."""
    return Step(IMAP, works=(look,), ahead_s=DAYS_S)


def _damage(site: Site) -> None:
    """Have an index that is none, and one that lacks its end."""
    home = site.mailboxes / "here.example" / "joe"
    for index in home.rglob(f"{_INDEX}-*"):
        index.unlink()
    (home / _INDEX).write_bytes(bytes(range(256)) * 64)
    kept = home / f".{_KEPT}" / _INDEX
    kept.write_bytes(kept.read_bytes()[:6000])


def _prepare(site: Site) -> None:
    """Let joe log in, with imapd where smtprd is when it runs."""
    site.file.write_text(site.file.read_text() + _TABLE.replace(":1", f":{site.port}"))
    secret = make_secret()
    change_secret(site.folder / "data" / "secrets", parse_mailbox(ACCOUNT), lambda _: secret)
