"""Sorting over a maildrop: one batch after another while the rules change (E-17 to E-19, X-16, P3, P5)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from paperpath.config.tables import Configuration
from paperpath.delivery.addressee import Case
from paperpath.journal.events import Event, Reported
from paperpath.mail.address import Mailbox, parse_mailbox
from paperpath.mail.envelope import Client, Envelope, Recipient
from paperpath.mail.notification import Fate
from paperpath.mail.outcome import Deferred, Delivered
from paperpath.mail.reply import make_reply
from paperpath.maildrop.errors import MaildropError
from paperpath.maildrop.memory import MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import (
    Claim,
    Content,
    Damaged,
    NewMessage,
    Origin,
    QueueFilter,
    Settlement,
    State,
    Transport,
    Unsorted,
)
from paperpath.postoffice.pace import MINUTE_US, Pace
from paperpath.postoffice.sorter import LOOK_AGAIN_US, Sorter
from paperpath.routing.files import RoutingFiles
from paperpath.service.errors import ServiceError
from paperpath.service.log import open_log
from tests.unit.config.example import configure

ADMIN = Mailbox("admin", "here.example")
R250 = make_reply(250, "2.0.0", "Done")
R450 = make_reply(450, "4.2.0", "Later")
MOST_REPORTS = 5
ROUTES = '[[post_office.route]]\ndomain = "{}"\nvia = "local"\n'


class Unreadable(Content):
    """A content that nobody may look at."""

    @property
    def size(self) -> int:
        return 0

    @property
    def octets(self) -> bytes:
        raise AssertionError("the content was opened")

    @property
    def file(self) -> Path:
        raise AssertionError("the content was opened")

    def __init__(self) -> None:
        pass


@dataclass
class Office:
    """A post office over a maildrop in memory, its files in a folder."""

    folder: Path
    store: MemoryStore
    maildrop: MemoryMaildrop
    sorter: Sorter
    told_of: list[Case]
    told: list[Event]
    now_us: int = 1_000_000

    async def accept(self, *addresses: str, sender: Mailbox | None = None, notify: str = "") -> str:
        queue_id = self.maildrop.new_queue_id(self.now_us)
        recipients = tuple(Recipient(parse_mailbox(address), notify) for address in addresses)
        envelope = Envelope(sender, recipients, Client("192.0.2.1", 1, "h", "ESMTP"))
        await self.maildrop.accept(NewMessage(queue_id, envelope, Unreadable(), self.now_us))
        return queue_id

    async def sort(self) -> None:
        """Sort until nothing moves any more."""
        while await self.sorter.sort_some(self.now_us):
            self.now_us += 1

    async def claim(self, transport: Transport) -> tuple[Claim, ...]:
        return (await self.maildrop.claim(transport, 10_000, self.now_us)).claims

    async def deliver(self, transport: Transport) -> list[str]:
        claims = await self.claim(transport)
        await self.maildrop.settle([Settlement(claim.recipient_id, Delivered(R250)) for claim in claims])
        return sorted(str(claim.address) for claim in claims)

    def told_of_statuses(self) -> list[tuple[str, str]]:
        return [(str(case.final), case.reply.status) for case in self.told_of]

    def queue(self) -> list[tuple[str, str]]:
        found = self.maildrop.find(QueueFilter(), 0, 10_000)
        return [(entry.address, entry.transport or entry.state.value) for entry in found]

    def write(self, aliases: str) -> None:
        new = self.folder / "aliases.new"
        new.write_text(aliases, encoding="utf-8")
        new.replace(self.folder / "aliases")


def open_office(
    folder: Path,
    maildrop: MemoryMaildrop | None = None,
    store: MemoryStore | None = None,
    *,
    share: bool = False,
) -> Office:
    """Open; `share`: all that is told at once is told in one report."""
    store = store or MemoryStore()
    maildrop = maildrop or MemoryMaildrop(store)
    told_of: list[Case] = []

    async def report(cases: Sequence[Case]) -> Mapping[int, NewMessage]:
        told_of.extend(cases)
        if share:
            return dict.fromkeys((case.recipient_id for case in cases), make_one(cases[0].return_path))
        return {
            case.recipient_id: make_one(ADMIN if case.fate is Fate.SET_ASIDE else case.return_path)
            for case in cases
            if case.fate is Fate.SET_ASIDE or case.return_path is not None
        }

    def make_one(to: Mailbox | None) -> NewMessage:
        envelope = Envelope(None, (Recipient(to or ADMIN),), Client("", 0, "", ""))
        return NewMessage(maildrop.new_queue_id(1), envelope, Unreadable(), 1, Origin.REPORT)

    told: list[Event] = []
    files = RoutingFiles(make(folder))
    sorter = Sorter(
        maildrop, files, folder / "memory", report, Pace(MOST_REPORTS), open_log("test"), told.append
    )
    return Office(folder, store, maildrop, sorter, told_of, told)


def make(folder: Path, *domains: str) -> Configuration:
    text = '\nhostname = "mail.example.org"\n[relay]\nlisten = ["127.0.0.1:2525"]\n[post_office]\n'
    text += 'postmaster = "admin@here.example"\naliases = "aliases"\n'
    configuration = configure(text + "".join(map(ROUTES.format, domains or ("here.example",))))
    post_office = configuration.post_office.model_copy(update={"aliases": folder / "aliases"})
    return configuration.model_copy(update={"data": folder, "post_office": post_office})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "aliases").write_text("joe: joe, x@else.example\n", encoding="utf-8")
    (tmp_path / "accounts").write_text(
        "".join(f"{name}@here.example\t{name}\n" for name in ("joe", "admin", "ann")), encoding="utf-8"
    )
    return tmp_path


def play(folder: Path, scene: Callable[[Office], Awaitable[None]], *, share: bool = False) -> Office:
    office = open_office(folder, share=share)

    async def run() -> None:
        await scene(office)

    asyncio.run(run())
    assert office.maildrop.read_books().balance
    return office


def test_E7_E11_E19_an_alias_becomes_its_targets_and_no_content_is_opened(folder: Path) -> None:
    async def scene(office: Office) -> None:
        await office.accept("joe@here.example", "x@else.example", "Joe+a@here.example")
        await office.sort()
        assert office.queue() == [
            ("x@else.example", "remote"),
            ("joe@here.example", "local"),
            ("joe+a@here.example", "local"),
        ]

    office = play(folder, scene)
    assert office.maildrop.read_books().made == 4


def test_X16_P5_joe_deferred_five_times_and_sorted_again_gives_x_one_copy(folder: Path) -> None:
    async def scene(office: Office) -> None:
        await office.accept("joe@here.example")
        await office.sort()
        remote = await office.deliver(Transport.REMOTE)
        for number in range(5):
            (claim,) = await office.claim(Transport.LOCAL)
            deferred = Deferred(R450, office.now_us)
            await office.maildrop.settle([Settlement(claim.recipient_id, deferred)])
            office.write(f"joe: joe, x@else.example\nother{number}: joe\n")
            await office.sort()
            remote += await office.deliver(Transport.REMOTE)
        assert remote == ["x@else.example"]
        assert await office.deliver(Transport.LOCAL) == ["joe@here.example"]

    play(folder, scene)


def test_X16_P5_a_mended_route_applies_to_mail_that_waits(folder: Path) -> None:
    async def scene(office: Office) -> None:
        await office.accept("ann@there.example", "ann@here.example")
        await office.sort()
        (claimed,) = await office.claim(Transport.LOCAL)
        (folder / "accounts").write_text("ann@there.example\ta\nann@here.example\tb\n", encoding="utf-8")
        office.sorter.renew(RoutingFiles(make(folder, "there.example")))
        await office.sort()
        assert office.queue() == [("ann@there.example", "local"), ("ann@here.example", "local")]
        deferred = Deferred(R450, office.now_us + 1)  # what was claimed at the change is looked at later
        await office.maildrop.settle([Settlement(claimed.recipient_id, deferred)])
        await office.sort()
        assert office.queue()[1] == ("ann@here.example", "local")
        office.now_us += LOOK_AGAIN_US
        await office.sort()
        assert office.queue()[1] == ("ann@here.example", "remote")

    play(folder, scene)


def test_P5_rules_that_changed_while_nobody_sorted_begin_an_epoch_and_others_do_not(folder: Path) -> None:
    async def scene(office: Office) -> None:
        await office.accept("gone@there.example")
        await office.sort()
        epoch = office.maildrop.read_epoch()
        again = open_office(folder, office.maildrop, office.store)
        await again.sort()
        assert office.maildrop.read_epoch() == epoch
        office.write("joe: ann\n")
        again = open_office(folder, office.maildrop, office.store)
        await again.sort()
        assert office.maildrop.read_epoch() == epoch + 1

    play(folder, scene)


def test_an_account_more_begins_no_epoch(folder: Path) -> None:
    async def scene(office: Office) -> None:
        await office.sort()
        epoch = office.maildrop.read_epoch()
        with (folder / "accounts").open("a", encoding="utf-8") as accounts:
            accounts.write("new@here.example\tnew\n")
        await office.accept("new@here.example")
        await office.sort()
        assert office.queue() == [("new@here.example", "local")]
        assert office.maildrop.read_epoch() == epoch

    play(folder, scene)


def test_a_broken_file_keeps_the_old_one_in_force_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scene(office: Office) -> None:
        await office.sort()
        office.write("joe: |prog\nann\n")
        await office.accept("joe@here.example")
        await office.sort()
        assert ("x@else.example", "remote") in office.queue()
        office.write("joe: ann\n")
        await office.accept("joe@here.example")
        await office.sort()
        assert office.queue()[-1] == ("ann@here.example", "local")

    play(folder, scene)
    told = capsys.readouterr().err
    assert told.count("expected the absolute path of a program") == 1
    assert f"{folder / 'aliases'}:2" in told


def test_L4_aliases_that_everybody_may_write_are_refused(folder: Path) -> None:
    (folder / "aliases").chmod(0o666)
    with pytest.raises(ServiceError, match="chmod o-w"):
        RoutingFiles(make(folder))


def test_E17_E18_P3_an_unknown_user_fails_with_a_report_in_the_same_step(folder: Path) -> None:
    async def scene(office: Office) -> None:
        await office.accept("nobody@here.example", sender=Mailbox("ann", "here.example"))
        await office.sort()
        assert office.told_of_statuses() == [("nobody@here.example", "5.1.1")]
        assert office.queue() == [("ann@here.example", "local")]
        await office.accept("nobody@here.example")
        await office.sort()

    books = play(folder, scene).maildrop.read_books()
    assert (books.failed, books.reported) == (2, 1)


def test_H5_refusals_sorted_together_are_told_together(folder: Path) -> None:
    async def scene(office: Office) -> None:
        queue_id = await office.accept(
            "x@here.example", "y@here.example", sender=Mailbox("ann", "else.example")
        )
        await office.sort()
        (reported,) = (event for event in office.told if isinstance(event, Reported))
        assert (reported.queue_id, reported.to) == (queue_id, "ann@else.example")
        assert reported.recipients == ("x@here.example", "y@here.example")

    play(folder, scene, share=True)


def test_E13_H22_an_expansion_is_told_with_it_to_who_asked_for_success(folder: Path) -> None:
    async def scene(office: Office) -> None:
        office.write("many: ann, admin\nlist: ann\nowner-list: admin\none: ann\n")
        for notify in ("SUCCESS", "FAILURE", ""):
            await office.accept(
                "many@here.example",
                "list@here.example",
                "one@here.example",
                sender=Mailbox("ann", "else.example"),
                notify=notify,
            )
        await office.sort()
        assert [(str(case.final), case.fate) for case in office.told_of] == [
            ("many@here.example", Fate.EXPANDED),
            ("list@here.example", Fate.DELIVERED),
        ]
        reported = [event.recipients for event in office.told if isinstance(event, Reported)]
        assert reported == [("many@here.example",), ("list@here.example",)]

    play(folder, scene)


def test_H24_reports_over_the_limit_wait_and_none_is_lost(folder: Path) -> None:
    async def scene(office: Office) -> None:
        for _ in range(3 * MOST_REPORTS):
            await office.accept("nobody@here.example", sender=Mailbox("Ann", "HERE.example"))
        await office.accept("nobody@here.example", sender=Mailbox("x", "else.example"))
        await office.accept(*["ann@here.example", "admin@here.example"])  # no reports
        await office.sort()
        assert len(await office.deliver(Transport.REMOTE)) == 1
        delivered = [len(await office.deliver(Transport.LOCAL))]
        again = open_office(folder, office.maildrop, office.store)  # what waits survives a crash
        for _ in range(3):
            again.now_us = office.now_us = office.now_us + MINUTE_US
            await again.sort()
            delivered.append(len(await office.deliver(Transport.LOCAL)))
        assert delivered == [MOST_REPORTS + 2, MOST_REPORTS, MOST_REPORTS, 0]

    play(folder, scene)


def test_H24_P5_new_rules_do_not_put_reports_off_again(folder: Path) -> None:
    async def scene(office: Office) -> None:
        for _ in range(2 * MOST_REPORTS):
            await office.accept("nobody@here.example", sender=Mailbox("ann", "here.example"))
        await office.sort()
        assert len(await office.deliver(Transport.LOCAL)) == MOST_REPORTS
        for number in range(3):
            office.write(f"other{number}: joe\n")
            await office.sort()
        office.now_us += MINUTE_US
        assert len(await office.deliver(Transport.LOCAL)) == MOST_REPORTS

    play(folder, scene)


def test_E10_a_loop_fails_and_the_others_go_on(folder: Path) -> None:
    async def scene(office: Office) -> None:
        office.write("a: b, ann\nb: a\n")
        await office.accept("a@here.example")
        await office.sort()
        assert office.told_of_statuses() == [("a@here.example", "5.4.6")]
        assert office.queue() == [("ann@here.example", "local")]

    play(folder, scene)


def test_E4_mail_for_a_postmaster_who_is_nobody_is_held(folder: Path) -> None:
    async def scene(office: Office) -> None:
        (folder / "accounts").write_text("ann@here.example\ta\n", encoding="utf-8")
        await office.accept("postmaster@here.example")
        await office.sort()
        assert office.queue() == [("admin@here.example", State.HELD.value)]

    play(folder, scene)


def test_D9_what_is_damaged_is_set_aside_and_the_postmaster_told(folder: Path) -> None:
    class Bad(MemoryMaildrop):
        def read_unsorted(self, limit: int) -> Unsorted:
            recipients = super().read_unsorted(limit).recipients
            bad = [one for one in recipients if one.address.local == "joe"]
            damaged = tuple(Damaged(one.id, one.queue_id, "no address") for one in bad)
            return Unsorted(tuple(one for one in recipients if one not in bad), damaged)

    store = MemoryStore()

    async def run() -> None:
        office = open_office(folder, Bad(store), store)
        await office.accept("joe@here.example")
        await office.sort()
        assert office.queue()[0] == ("joe@here.example", State.HELD.value)
        assert [address for address, _ in office.queue()[1:]] == ["admin@here.example"]

    asyncio.run(run())


def test_rules_are_not_in_force_before_their_epoch_has_begun(folder: Path) -> None:
    class Stuck(MemoryMaildrop):
        stuck = True

        def raise_epoch(self) -> "asyncio.Future[int]":
            if self.stuck:
                raise MaildropError("no")
            return super().raise_epoch()

    store = MemoryStore()

    async def run() -> None:
        maildrop = Stuck(store)
        office = open_office(folder, maildrop, store)
        await office.accept("ann@here.example")
        with pytest.raises(MaildropError):
            await office.sorter.sort_some(1)
        assert office.queue() == [("ann@here.example", "unsorted")]
        maildrop.stuck = False
        await office.sort()
        assert office.queue() == [("ann@here.example", "local")]

    asyncio.run(run())


def test_E18_the_rules_change_while_1000_messages_flow(folder: Path) -> None:
    names = ("joe", "ann", "admin")

    async def scene(office: Office) -> None:
        local: list[str] = []
        remote: list[str] = []
        for number in range(1000):
            await office.accept(f"{names[number % 3]}@here.example", f"r{number}@else.example")
            if number % 100 == 50:
                office.write(f"joe: joe, copy{number}@else.example\n")
            if number % 100 == 75:
                office.sorter.renew(
                    RoutingFiles(make(folder, "here.example", *["more.example"] * (number % 200 > 100)))
                )
            if number % 7 == 0:
                await office.sorter.sort_some(office.now_us)
            if number % 31 == 0:
                local += await office.deliver(Transport.LOCAL)
                remote += await office.deliver(Transport.REMOTE)
        await office.sort()
        local += await office.deliver(Transport.LOCAL)
        remote += await office.deliver(Transport.REMOTE)
        assert sorted(local) == sorted(f"{names[number % 3]}@here.example" for number in range(1000))
        assert sorted(one for one in remote if one[0] == "r") == sorted(
            f"r{n}@else.example" for n in range(1000)
        )
        assert len([one for one in remote if one.startswith(("copy", "x@"))]) == 334
        assert office.queue() == []
        assert office.maildrop.read_epoch() > 10

    books = play(folder, scene).maildrop.read_books()
    assert (books.accepted, books.open, books.failed) == (2000, 0, 0)
