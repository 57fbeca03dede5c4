"""Scenarios of what an operator does to the queue, and of damaged mail."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import apsw

from paperpath.maildrop.content import content_file
from tests.crash.ledger import Message
from tests.crash.programs import LOCAL, OFFICE, RELAY, REMOTE
from tests.crash.site import Site
from tests.crash.steps import (
    ADMIN,
    EVERYWHERE,
    FAR,
    JOE,
    JOE2,
    LARGE,
    LATER_S,
    STUCK,
    UNREACHABLE,
    Scenario,
    Step,
    U,
    block,
    queue,
    to,
    unblock,
)


def operated() -> Scenario:
    """Everything that an operator can do: on recipients that are unsorted, ready and held."""
    messages = (
        to(1, U, STUCK),
        Message(2, (U, STUCK), {U: 1}),
        Message(3, (U, STUCK), {U: 1}, sender=JOE, reports={STUCK: 1}),
        Message(4, (U, FAR), {U: 1}),
    )
    remove = queue("remove", "--sender", messages[1].return_path, "--recipient", STUCK)
    bounce = queue("bounce", "--sender", messages[2].return_path, "--recipient", STUCK)
    first, far = ("--sender", messages[0].return_path), ("--recipient", FAR)
    steps = [
        Step(RELAY, messages, before=block),
        queue("hold", *first),
        Step(OFFICE),
        Step(LOCAL),
        queue("release", *first),
        Step(OFFICE),
        remove,
        bounce,
        queue("reroute", "smtp://other.example:25", *far),
        Step(OFFICE),
        UNREACHABLE,
        queue("retry", *far),
        Step(REMOTE),
        Step(LOCAL, ahead_s=LATER_S, before=unblock),
        Step(OFFICE, ahead_s=LATER_S),
    ]
    recovery = [Step(OFFICE), remove, bounce]
    return Scenario("operated", steps, recovery, mend=unblock, rest=EVERYWHERE)


def damaged() -> Scenario:
    """What is damaged is set aside and the postmaster told, the rest flows; repaired, it is delivered."""
    messages = (
        replace(to(1, U, octets=LARGE), notices=1),
        replace(to(2, JOE, octets=LARGE), notices=1),
        replace(to(3, JOE2), notices=1),
        replace(to(4, ADMIN), notices=1),
        to(5, U),
    )
    steps = [
        Step(RELAY, messages),
        Step(OFFICE, before=_damage_addresses),
        Step(LOCAL, before=_damage),
        Step(OFFICE),
        Step(LOCAL),
        Step(OFFICE),
    ]
    return Scenario("damaged", steps, mend=_damage, repair=_repair)


@contextmanager
def _opened(site: Site) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(str(site.maildrop / "queue.db"), flags=apsw.SQLITE_OPEN_READWRITE)
    with connection:
        yield connection
    connection.close()


def _from(number: int) -> str:
    """Return what the sender of a message begins with."""
    return f"sender+{number}@%"


def _damage_addresses(site: Site) -> None:
    with _opened(site) as connection:
        connection.execute(
            "UPDATE recipient SET address = '@' WHERE state IN ('unsorted', 'ready') "
            "AND message_id IN (SELECT id FROM message WHERE sender LIKE ?)",
            (_from(3),),
        )


def _damage(site: Site) -> None:
    """Lose the first message's file, turn bits of the second's, break rows of the third and the fourth."""
    _damage_addresses(site)
    with _opened(site) as connection:
        if (file := _find_file(site, connection, 1)) is not None and file.exists():
            file.rename(site.folder / file.name)
        if (file := _find_file(site, connection, 2)) is not None and _is_sound(file, connection):
            _turn_bits(file)
        connection.execute("UPDATE message SET digest = x'00' WHERE sender LIKE ?", (_from(4),))


def _repair(site: Site) -> None:
    """Make up for all of it."""
    with _opened(site) as connection:
        connection.execute("UPDATE recipient SET address = accepted_address WHERE address = '@'")
        if (file := _find_file(site, connection, 1)) is not None and not file.exists():
            (site.folder / file.name).rename(file)
        if (file := _find_file(site, connection, 2)) is not None and not _is_sound(file, connection):
            _turn_bits(file)
        rows = connection.execute(
            "SELECT id, octets FROM message JOIN content ON message_id = id WHERE sender LIKE ?", (_from(4),)
        )
        for number, octets in rows.fetchall():
            assert isinstance(octets, bytes)
            digest = hashlib.sha256(octets).digest()
            connection.execute("UPDATE message SET digest = ? WHERE id = ?", (digest, number))


def _find_file(site: Site, connection: apsw.Connection, number: int) -> Path | None:
    """Tell where the content of a message lies, if the message is there."""
    found = connection.execute("SELECT queue_id FROM message WHERE sender LIKE ?", (_from(number),)).get
    return None if found is None else content_file(site.maildrop / "content", found)


def _is_sound(file: Path, connection: apsw.Connection) -> bool:
    digest = connection.execute("SELECT digest FROM message WHERE queue_id = ?", (file.name,)).get
    return bool(hashlib.sha256(file.read_bytes()).digest() == digest)


def _turn_bits(file: Path) -> None:
    octets = bytearray(file.read_bytes())
    octets[-10] ^= 1
    file.write_bytes(octets)
