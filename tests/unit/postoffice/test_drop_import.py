"""The import of dropped messages: each once, whatever happens between its steps; what is none goes aside."""

import asyncio
import errno
import os
import pwd
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from paperpath.config.tables import Configuration
from paperpath.dkim.keyring import Keyring, Signer
from paperpath.dkim.keys import load_key, make_ed25519_key
from paperpath.intake.space import FreeSpace
from paperpath.journal.events import Event
from paperpath.mail.address import Mailbox
from paperpath.mail.envelope import Envelope, SenderParameters
from paperpath.maildrop.content import read_content
from paperpath.maildrop.drop.folder import DropFolder
from paperpath.maildrop.drop.writer import drop_message
from paperpath.maildrop.errors import StorageError
from paperpath.maildrop.memory import MemoryContent, MemoryMaildrop, MemoryStore
from paperpath.maildrop.values import ClaimedMessage, NewMessage, Origin
from paperpath.postoffice import drop_import
from paperpath.postoffice.drop_import import BATCH, DropImport
from paperpath.service.log import open_log
from tests.support.dkim import verify
from tests.support.drop import CLIENT, CONTENT, ENVELOPE, make_folders
from tests.unit.config.example import RIGHT, configure

MOST_OCTETS = 100_000


class Site:
    """A drop directory and a queue in memory, with one importer after another."""

    def __init__(self, data: Path) -> None:
        self.drop, self.damaged = make_folders(data)
        self.store = MemoryStore()
        self.told: list[Event] = []
        self.keyring = Keyring()
        self.configuration: Configuration = configure(RIGHT).model_copy(update={"data": data})
        self.configuration.maildrop_folder.mkdir()

    def leave(self, content: bytes = CONTENT, envelope: Envelope = ENVELOPE) -> Path:
        return self.drop / drop_message(self.drop, envelope, [content])

    def import_all(self) -> int:
        """Import as a program would that has just been started, until nothing is left to do."""
        return self.run(self._import_all)

    def run(self, work: Callable[[DropImport], Awaitable[int]]) -> int:
        async def live() -> int:
            maildrop = MemoryMaildrop(self.store)
            with closing(
                DropImport(self.configuration, maildrop, open_log("test"), self.told.append, self.keyring)
            ) as importer:
                return await work(importer)

        with closing(asyncio.new_event_loop()) as loop:
            return loop.run_until_complete(live())

    async def _import_all(self, importer: DropImport) -> int:
        total = 0
        while count := await importer.import_some(MOST_OCTETS):
            total += count
        return total

    def messages(self) -> list[ClaimedMessage]:
        return [message for message in self.store.messages.values() if message.origin is Origin.DROP]

    def notices(self) -> list[ClaimedMessage]:
        return [message for message in self.store.messages.values() if message.origin is Origin.REPORT]

    def left(self) -> list[str]:
        return [file.name for file in self.drop.iterdir()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_L2_a_dropped_message_is_taken_and_says_whose_it_is(site: Site) -> None:
    site.leave()
    assert site.import_all() == 1
    (message,) = site.messages()
    octets = read_content(message.content)
    user = pwd.getpwuid(os.geteuid()).pw_name
    head, _, rest = octets.partition(b"\r\n id ")
    assert head == f"Received: by mail.example.org (Paperpath, from user {user}, uid {os.geteuid()})".encode()
    assert rest.startswith(message.queue_id.encode() + b";\r\n ")
    assert octets.endswith(b"\r\n" + CONTENT)
    assert b"u@here.example" not in octets  # who alone gets it may have been meant to be blind
    assert message.sender == ENVELOPE.sender
    assert [recipient.address for recipient in site.store.recipients.values()] == [
        ENVELOPE.recipients[0].address
    ]
    assert site.left() == []
    assert site.store.taken == set()


@pytest.mark.parametrize("author", ["here", "there"])
def test_I1_I6_a_dropped_message_is_signed_if_its_author_has_a_key(site: Site, author: str) -> None:
    key = load_key(make_ed25519_key().encode())
    site.keyring = Keyring([Signer("here.example", "s", key)])
    content = f"From: joe@{author}.example\r\nSubject: x\r\n\r\n".encode() + b"long \t line\r\n" * 1000
    site.leave(content)
    assert site.import_all() == 1
    (message,) = site.messages()
    octets = read_content(message.content)
    assert octets.endswith(b"\r\n" + content)
    assert octets.startswith(b"DKIM-Signature: " if author == "here" else b"Received: ")
    assert verify(octets, {"s._domainkey.here.example": key.record}) == ([True] if author == "here" else [])


def test_a_key_is_forgotten_only_when_its_file_is_durably_gone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = []
    really_flush, really_forget = DropFolder.flush, MemoryMaildrop.forget_unique

    def flush(folder: DropFolder) -> None:
        steps.append(("flush", site.left()))
        really_flush(folder)

    def forget(maildrop: MemoryMaildrop, keys: Sequence[str]) -> asyncio.Future[None]:
        steps.append(("forget", list(keys)))
        if len(steps) == 2:
            raise StorageError("not now", no_space=False)
        return really_forget(maildrop, keys)

    monkeypatch.setattr(DropFolder, "flush", flush)
    monkeypatch.setattr(MemoryMaildrop, "forget_unique", forget)

    async def import_twice(importer: DropImport) -> int:
        site.leave()
        first = await importer.import_some(MOST_OCTETS)
        site.leave()
        return first + await importer.import_some(MOST_OCTETS)

    assert site.run(import_twice) == 2
    assert [step for step, _ in steps] == ["flush", "forget"] * 2
    assert [left for step, left in steps if step == "flush"] == [[], []]
    assert [len(keys) for step, keys in steps if step == "forget"] == [1, 2]  # what failed once comes again
    assert site.store.taken == set()


def test_D2_a_key_whose_file_is_gone_is_forgotten_by_the_next_program(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.leave()
    with monkeypatch.context() as patch:
        patch.setattr(MemoryMaildrop, "forget_unique", crash)
        with pytest.raises(CrashError):
            site.import_all()
    with monkeypatch.context() as patch:
        patch.setattr(DropFolder, "remove", crash)
        site.leave()
        with pytest.raises(CrashError):
            site.import_all()
    site.store.taken.add("of something else")

    async def forget(importer: DropImport) -> int:
        await importer.forget_gone()
        return len(site.store.taken - {""})

    assert site.run(forget) == 2  # that of the file which is still there, and that of something else
    site.import_all()
    assert len(site.messages()) == 2
    assert site.store.taken - {""} == {"of something else"}


def test_parameters_come_through(site: Site) -> None:
    parameters = SenderParameters("8BITMIME", international=True, ret="HDRS", envid="x")
    site.leave(envelope=Envelope(None, ENVELOPE.recipients, CLIENT, parameters))
    site.import_all()
    (message,) = site.messages()
    assert (message.sender, message.parameters) == (None, parameters)


class CrashError(BaseException):
    """What no step catches, as a kill would not be caught."""


def crash(*arguments: object, **options: object) -> None:
    raise CrashError


STEPS = [
    (DropFolder, "look"),
    (DropFolder, "open"),
    (drop_import, "parse_envelope"),
    (drop_import, "copy_checked"),
    (MemoryContent, "finish"),
    (MemoryMaildrop, "accept"),
    (DropFolder, "remove"),
    (DropFolder, "flush"),
    (MemoryMaildrop, "forget_unique"),
]


@pytest.mark.parametrize(("place", "step"), STEPS, ids=lambda part: getattr(part, "__name__", part))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_D2_D3_a_crash_at_any_step_leaves_exactly_one_copy(
    site: Site, monkeypatch: pytest.MonkeyPatch, place: object, step: str, when: str
) -> None:
    really = getattr(place, step)

    def crash_after(*arguments: object, **options: object) -> None:
        really(*arguments, **options)
        raise CrashError

    for _ in range(3):
        site.leave()
    with monkeypatch.context() as patch:
        patch.setattr(place, step, crash if when == "before" else crash_after)
        with pytest.raises(CrashError):
            site.import_all()
    site.import_all()
    assert site.import_all() == 0
    assert len(site.messages()) == 3
    assert (site.left(), list(site.damaged.iterdir())) == ([], [])


@pytest.mark.parametrize(("place", "step"), [(MemoryContent, "write"), (MemoryMaildrop, "accept")])
def test_D4_what_cannot_be_stored_now_stays_and_is_taken_later(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: object, step: str
) -> None:
    def fail(*arguments: object) -> None:
        raise StorageError("no space left", no_space=True)

    discarded: list[MemoryContent] = []
    monkeypatch.setattr(MemoryContent, "discard", lambda content: discarded.append(content))
    file = site.leave()
    with monkeypatch.context() as patch:
        patch.setattr(place, step, fail)
        assert site.import_all() == 0
    assert site.left() == [file.name]
    assert len(discarded) == 1
    assert "cannot take dropped messages now" in capsys.readouterr().err
    assert site.import_all() == 1
    assert len(site.messages()) == 1


@pytest.mark.parametrize("failures", [1, 2])
def test_D9_what_the_disk_does_not_give_is_put_aside_at_the_second_look(
    site: Site, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    file, read, coming = site.leave(), os.read, [errno.EIO] * failures

    def fail(descriptor: int, octets: int) -> bytes:
        if coming:
            raise OSError(coming.pop(), "it did not")
        return read(descriptor, octets)

    async def look_twice(importer: DropImport) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(os, "read", fail)
            first, left = await importer.import_some(MOST_OCTETS), site.left()
            second = await importer.import_some(MOST_OCTETS)
        assert (first, left) == (0, [file.name])
        return second

    assert site.run(look_twice) == 1
    assert (len(site.messages()), len(list(site.damaged.iterdir()))) == ((1, 0) if failures == 1 else (0, 1))
    assert site.left() == []


def test_L7_nothing_is_taken_while_the_disk_is_full(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    file = site.leave()
    with monkeypatch.context() as patch:
        patch.setattr(FreeSpace, "has_room", lambda space, octets: False)
        assert site.import_all() == 0
    assert (site.left(), site.messages()) == ([file.name], [])


def test_L2_what_is_changed_after_it_was_accepted_changes_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = site.leave()
    really_accept = MemoryMaildrop.accept

    def accept(maildrop: MemoryMaildrop, message: NewMessage) -> asyncio.Future[None]:
        with file.open("r+b") as owner:
            owner.seek(-5, os.SEEK_END)
            owner.write(b"EVIL")
        return really_accept(maildrop, message)

    monkeypatch.setattr(MemoryMaildrop, "accept", accept)
    site.import_all()
    (message,) = site.messages()
    assert read_content(message.content).endswith(CONTENT)
    assert site.left() == []


def make_sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**40)


def make_hostile(site: Site) -> Iterator[Path]:
    """Put into the directory what should not be there."""
    target = site.drop.parent / "target"
    target.write_bytes(b"untouched")
    makers: list[Callable[[Path], object]] = [
        lambda path: path.symlink_to(target),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.hardlink_to(target),
        os.mkfifo,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PP-DROP\n" * 100),
        make_sparse,
        lambda path: path.write_bytes(site.leave(b"x\r\n").read_bytes()[:-1]),
    ]
    for number, make in enumerate(makers):
        path = site.drop / f"message-{number:032x}"
        make(path)
        yield path
    for name in (b"\xff\xfe", b"a b\n\x1b[2J", b"message-", b"." * 255):
        path = site.drop / os.fsdecode(name)
        path.write_bytes(b"")
        yield path


def test_L2_D9_hostile_things_are_put_aside_once_and_the_rest_flows(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = list(make_hostile(site))
    site.leave()
    site.import_all()
    assert len(site.messages()) == 2  # ours, and the whole one that was copied to be cut
    assert site.left() == []
    assert len(list(site.damaged.iterdir())) == len(hostile)
    output = capsys.readouterr().err
    assert output.count("put a dropped file aside") == len(hostile)
    assert "\x1b" not in output
    assert (site.drop.parent / "target").read_bytes() == b"untouched"
    assert site.import_all() == 0


def test_L2_very_many_bad_files_do_not_fill_the_log(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(15):
        (site.drop / f"odd{number}").touch()
    assert site.import_all() == 15
    output = capsys.readouterr().err
    assert output.count("put a dropped file aside") == 10
    assert "put more dropped files aside files=5" in output


def test_D9_L2_the_postmaster_is_told_of_bad_files_and_not_flooded(site: Site) -> None:
    async def import_twice(importer: DropImport) -> int:
        for name in ("odd\x1b", "more"):
            (site.drop / name).touch()
            await importer.import_some(MOST_OCTETS)
        return 0

    site.run(import_twice)
    (notice,) = site.notices()
    octets = notice.content.octets or b""
    assert sum(file.name.encode() in octets for file in site.damaged.iterdir()) == 1
    assert b"Subject: Dropped files were put aside\r\n" in octets
    assert notice.sender is None
    assert b"\x1b" not in octets
    assert len(list(site.damaged.iterdir())) == 2
    (told,) = site.store.recipients.values()
    assert told.address == Mailbox("me", "example.org")


def test_L2_a_folder_goes_if_it_is_empty_and_else_stays_and_is_told_once(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "not yours")

    for name in ("empty", "full"):
        (site.drop / name).mkdir()
    (site.drop / "full" / "x").touch()
    site.leave()
    monkeypatch.setattr(os, "rename", refuse)  # as for a folder that its owner has shut

    async def import_often(importer: DropImport) -> int:
        return sum([await importer.import_some(MOST_OCTETS) for _ in range(5)])

    assert site.run(import_often) == 2
    assert site.left() == ["full"]
    assert len(site.messages()) == 1
    assert capsys.readouterr().err.count("cannot put a dropped file aside") == 1


def test_D16_what_writers_left_half_done_goes_after_36_hours(site: Site) -> None:
    for number, age_h in enumerate((35, 37)):
        partial = site.drop / f"partial-{number:032x}"
        partial.touch()
        long_ago_s = partial.stat().st_mtime - age_h * 3600
        os.utime(partial, (long_ago_s, long_ago_s))
    assert site.import_all() == 1
    assert site.left() == [f"partial-{0:032x}"]


def test_S10_a_message_that_goes_in_circles_is_put_aside(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.leave(b"Received: by x\r\n" * 100 + b"\r\n")
    site.import_all()
    assert (site.messages(), site.left()) == ([], [])
    assert "100 hosts" in capsys.readouterr().err


def test_an_error_of_ours_with_one_file_does_not_hold_up_the_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(octets: bytes, client: object) -> Envelope:
        raise ZeroDivisionError

    site.leave()
    with monkeypatch.context() as patch:
        patch.setattr(drop_import, "parse_envelope", fail)
        assert site.import_all() == 1
    assert (site.left(), len(list(site.damaged.iterdir()))) == ([], 1)


def test_more_than_a_batch_is_taken_batch_by_batch(site: Site) -> None:
    for _ in range(BATCH + 5):
        site.leave()
    counts = []

    async def import_twice(importer: DropImport) -> int:
        counts.extend([await importer.import_some(MOST_OCTETS) for _ in range(3)])
        (family,) = importer.families()
        return int(sum(sample.value for sample in family.samples))

    assert site.run(import_twice) == BATCH + 5
    assert counts == [BATCH, 5, 0]
    assert len(site.messages()) == BATCH + 5


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_the_submitter_is_the_owner_of_the_file_with_or_without_a_name(site: Site) -> None:
    os.chown(site.leave(), 65502, -1)
    site.import_all()
    (message,) = site.messages()
    octets = read_content(message.content)
    assert octets.startswith(b"Received: by mail.example.org (Paperpath, from uid 65502)\r\n id ")
