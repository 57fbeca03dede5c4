"""Scenarios of a maildrop that is made, and of queues of older versions, full of mail, brought up to date."""

from collections.abc import Callable
from dataclasses import replace

import apsw

from paperpath.maildrop.sqlite.migrations import MIGRATIONS
from tests.crash.points import Plan, parse_point
from tests.crash.programs import COMMAND, CREATE, LOCAL, OFFICE, RELAY
from tests.crash.site import Site
from tests.crash.steps import JOE, JOE2, LARGE, LATER_S, Scenario, Step, U, to
from tests.unit.maildrop.test_migrations import FIRST

_UPGRADE = Step(COMMAND, arguments=("upgrade",))
_COPIED = ("worker", "destination", "message", "content", "recipient")


def first_start() -> Scenario:
    """The maildrop is made."""
    afterwards = [Step(CREATE), Step(RELAY, (to(1, U),))]
    return Scenario("first start", [Step(CREATE)], recovery=afterwards, prepare=_unmake)


def upgraded_from_first() -> Scenario:
    """`paperpath upgrade` on a queue of the first version."""
    return _upgraded("upgraded from 1", replace(_UPGRADE, before=_make_older(1)))


def upgraded_from_second() -> Scenario:
    """`paperpath up` on a queue of the second version."""
    return _upgraded("upgraded from 2", Step(CREATE, before=_make_older(2)))


def upgraded_from_fourth() -> Scenario:
    """`paperpath up` on a queue of the fourth version, which was the last one before accounts were kept."""
    return _upgraded("upgraded from 4", Step(CREATE, before=_make_older(4)))


def _upgraded(name: str, upgrade: Step) -> Scenario:
    """Mail in every state that there was: unsorted, ready, claimed by the dead, delivered, settled."""
    died = Plan(parse_point("deliver / fsync new/ / 2"))
    steps = [
        Step(RELAY, (to(1, U, JOE), to(2, U, octets=LARGE))),
        Step(OFFICE),
        Step(LOCAL, plan=died),
        Step(RELAY, (to(3, JOE2, octets=LARGE),)),
        Step(OFFICE),
        Step(RELAY, (to(4, JOE, U), to(5, JOE2, octets=LARGE))),
        upgrade,
        Step(OFFICE, ahead_s=LATER_S),
        Step(LOCAL, ahead_s=LATER_S),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    return Scenario(name, steps, recovery=[_UPGRADE])


def _unmake(site: Site) -> None:
    for entry in site.maildrop.iterdir():
        if entry.is_dir():
            entry.rmdir()
        else:
            entry.unlink()
    site.maildrop.rmdir()


def _make_older(version: int) -> Callable[[Site], None]:
    """Make what puts a queue of an older version, with the same mail, in the place of the new one."""

    def make(site: Site) -> None:
        file, newer = site.maildrop / "queue.db", site.folder / "newer.db"
        apsw.Connection(str(file)).close()  # which moves what is in the log into the database
        file.rename(newer)
        connection = apsw.Connection(str(file))
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL")
        with connection:
            connection.execute(FIRST)
            for number in range(1, version):
                connection.execute(MIGRATIONS[number])
            connection.execute(f"PRAGMA user_version={version}")
        connection.execute("ATTACH ? AS newer", (str(newer),))
        with connection:
            _copy(connection)
        connection.close()
        newer.unlink()

    return make


def _copy(connection: apsw.Connection) -> None:
    """Copy what both versions know, in an order that never leaves a row without the one it names."""
    for table in reversed(_COPIED):
        connection.execute(f"DELETE FROM {table}")
    for table in _COPIED:
        columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
        connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
    connection.execute("UPDATE sqlite_sequence SET seq = (SELECT seq FROM newer.sqlite_sequence)")
    for _, column, *_ in connection.execute("PRAGMA main.table_info(meta)").fetchall():
        connection.execute(f"UPDATE meta SET {column} = (SELECT {column} FROM newer.meta)")
