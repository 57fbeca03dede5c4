"""The contract of a mail store: what every implementation of `MailStore` does, as checks that take an engine.

A check is a function whose name tells the requirement and the promise. `CHECKS` has them all; the tests run
each with every implementation there is. What other programs do is done by the engine.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from paperpath.folders.store.errors import (
    FolderExistsError,
    FolderLostError,
    FolderNameError,
    ForbiddenError,
    NoFolderError,
    UseError,
)
from paperpath.folders.store.interface import MailStore, OpenFolder
from paperpath.folders.store.values import Cached, FlagChange

MESSAGE = b"Subject: a\r\n\r\nHello\r\n"
DATE_US = 1_600_000_000_000_000


class Engine(Protocol):
    """A store under test, and somebody who delivers into INBOX beside it."""

    @property
    def store(self) -> MailStore:
        """The store."""

    def deliver(self, octets: bytes) -> None:
        """Put a message into INBOX as local delivery does."""


Check = Callable[[Engine], None]


def k4_uids_ascend_and_are_never_used_again(engine: Engine) -> None:
    """The highest message goes, and the next gets a higher UID."""
    folder = engine.store.open("INBOX")
    put(engine.store, "INBOX", 3)
    assert list(folder.look().snapshot.uids) == [1, 2, 3]
    folder.store_flags([3], FlagChange.ADD, ["\\Deleted"])
    assert folder.expunge() == [3]
    put(engine.store, "INBOX", 1)
    assert list(folder.look().snapshot.uids) == [1, 2, 4]
    folder.close()


def k4_a_folder_made_again_has_another_uidvalidity(engine: Engine) -> None:
    """And another identity; who had the old one open is told."""
    engine.store.create("Work")
    old = engine.store.open("Work")
    before = old.uid_validity
    engine.store.delete("Work")
    engine.store.create("Work")
    new = engine.store.open("Work")
    assert new.uid_validity > before
    assert new.folder_id != old.folder_id
    expect(FolderLostError, old.look)
    old.close()
    new.close()


def k5_what_is_served_is_what_came_whatever_it_was(engine: Engine) -> None:
    """Sizes are those of what is served; parts of it are its parts."""
    contents = [MESSAGE, b"", b"a\r\nb", b"\n", b"\r", b"a\r\r\nb\nc\r\n\r", b"\r\n" * 70_000, b"\0\xff\r\n"]
    for content in contents:
        put(engine.store, "INBOX", 1, content=content, at_once=7)
    folder = engine.store.open("INBOX")
    uids = folder.look().snapshot.uids
    measures = list(folder.measures(uids))
    assert [one.octets for one in measures] == [len(content) for content in contents]
    assert len({one.email_id for one in measures}) == len(contents)
    for uid, content in zip(uids, contents, strict=True):
        with folder.open_message(uid) as message:
            assert message.read(0, len(content) + 5) == content
            assert message.octets == len(content)
            assert b"".join(message.chunks()) == content
            assert message.read(2, 5) == content[2:5]
            assert message.read(131_073, 139_999) == content[131_073:139_999]
    folder.close()


def k6_what_departed_keeps_its_place_until_it_may_be_told(engine: Engine) -> None:
    """Two sessions; what arrives meanwhile comes behind."""
    put(engine.store, "INBOX", 3)
    one, other = engine.store.open("INBOX"), engine.store.open("INBOX")
    shown = one.look().snapshot
    other.store_flags([2], FlagChange.ADD, ["\\Deleted"])
    other.expunge()
    put(engine.store, "INBOX", 1)
    kept = one.look(shown, keep_departed=True)
    assert (list(kept.snapshot.uids), list(kept.departed), list(kept.arrived)) == ([1, 2, 3, 4], [], [4])
    again = one.look(kept.snapshot, keep_departed=True)
    assert (list(again.snapshot.uids), list(again.arrived)) == ([1, 2, 3, 4], [])
    told = one.look(again.snapshot)
    assert (list(told.snapshot.uids), list(told.departed)) == ([1, 3, 4], [2])
    one.close()
    other.close()


def k23_the_mod_sequence_grows_on_real_changes_only(engine: Engine) -> None:
    """Who comes too late is told, and changes nothing."""
    put(engine.store, "INBOX", 2)
    folder = engine.store.open("INBOX")
    first = folder.look().snapshot
    (state,) = folder.store_flags([1], FlagChange.ADD, ["\\Seen"]).states
    assert state.modseq > first.modseq
    assert folder.store_flags([1], FlagChange.ADD, ["\\Seen"]).states == [state]
    late = folder.store_flags([1, 2], FlagChange.SET, ["\\Flagged"], unchanged_since=first.modseq)
    assert (list(late.modified), [one.uid for one in late.states]) == ([1], [2])
    changes = folder.look(first)
    assert [(one.uid, one.flags) for one in changes.changed] == [
        (1, frozenset({"\\Seen"})),
        (2, frozenset({"\\Flagged"})),
    ]
    assert folder.look(changes.snapshot).changed == ()
    assert [one.uid for one in folder.states([1, 2], changed_since=state.modseq)] == [2]
    folder.close()


def k15_keywords_are_kept_as_they_were_first_written(engine: Engine) -> None:
    """Whatever their case later; they go along into other folders."""
    put(engine.store, "INBOX", 1)
    engine.store.create("Other")
    put(engine.store, "Other", 1, flags=["$Junk"])
    folder = engine.store.open("INBOX")
    folder.store_flags([1], FlagChange.SET, ["$Forwarded", "Todo", "\\answered"])
    (state,) = folder.store_flags([1], FlagChange.ADD, ["TODO"]).states
    assert state.flags == {"$Forwarded", "Todo", "\\Answered"}
    (state,) = folder.store_flags([1], FlagChange.REMOVE, ["\\Answered", "unknown"]).states
    assert state.flags == {"$Forwarded", "Todo"}
    assert list(folder.keywords) == ["Todo"]
    assert folder.takes_keywords
    copied = folder.copy([1], "Other")
    other = engine.store.open("Other")
    assert flags_of(other, copied.arrival.uids) == [state.flags]
    assert list(other.keywords) == ["$Junk", "Todo"]
    folder.close()
    other.close()


def k10_append_keeps_flags_and_dates_and_brings_all_or_none(engine: Engine) -> None:
    """A folder that is missing is not made."""
    expect(NoFolderError, lambda: engine.store.append("Nowhere"))
    coming = engine.store.append("INBOX")
    coming.begin(["\\Seen", "Todo"], DATE_US, len(MESSAGE))
    coming.write(MESSAGE)
    coming.begin([], None, len(MESSAGE))
    coming.write(MESSAGE)
    folder = engine.store.open("INBOX")
    assert not folder.look().snapshot.uids
    arrival = coming.finish()
    assert (arrival.uid_validity, list(arrival.uids)) == (folder.uid_validity, [1, 2])
    assert flags_of(folder, [1, 2]) == [{"\\Seen", "Todo"}, frozenset()]
    assert next(iter(folder.dates([1]))).internal_us == DATE_US
    given_up = engine.store.append("INBOX")
    given_up.begin([], None, 5)
    given_up.write(b"12345")
    given_up.abandon()
    assert len(folder.look().snapshot.uids) == 2
    folder.close()


def k18_copies_are_new_messages_in_the_order_of_the_old(engine: Engine) -> None:
    """With flags, dates and content; also into the folder itself."""
    put(engine.store, "INBOX", 3, flags=["\\Flagged"])
    engine.store.create("Other")
    folder = engine.store.open("INBOX")
    folder.look()
    expect(NoFolderError, lambda: folder.copy([1], "Nowhere"))
    copied = folder.copy([1, 3, 77], "Other")
    assert (list(copied.uids), list(copied.arrival.uids)) == ([1, 3], [1, 2])
    assert list(folder.copy([2], "INBOX").arrival.uids) == [4]
    other = engine.store.open("Other")
    assert list(other.look().snapshot.uids) == [1, 2]
    assert flags_of(other, [1, 2]) == [{"\\Flagged"}] * 2
    assert [one.internal_us for one in other.dates([1, 2])] == [DATE_US] * 2
    assert read(other, 1) == MESSAGE
    assert [one.email_id for one in other.measures([1])] == [one.email_id for one in folder.measures([1])]
    assert list(folder.copy([99], "Other").arrival.uids) == []
    folder.close()
    other.close()


def k19_what_is_moved_is_there_and_no_longer_here(engine: Engine) -> None:
    """It departs here; moved into the folder itself it is a new message."""
    put(engine.store, "INBOX", 3, flags=["\\Seen"])
    engine.store.create("Other")
    folder, other = engine.store.open("INBOX"), engine.store.open("Other")
    shown = folder.look().snapshot
    moved = folder.move([1, 3], "Other")
    assert (list(moved.uids), list(moved.arrival.uids)) == ([1, 3], [1, 2])
    assert list(folder.look(shown).departed) == [1, 3]
    assert list(other.look().snapshot.uids) == [1, 2]
    assert flags_of(other, [1, 2]) == [{"\\Seen"}] * 2
    assert list(folder.move([2], "INBOX").arrival.uids) == [4]
    assert list(folder.look().snapshot.uids) == [4]
    assert read(folder, 4) == MESSAGE
    folder.close()
    other.close()


def k18_only_what_is_deleted_and_named_is_expunged(engine: Engine) -> None:
    """UID EXPUNGE leaves other messages that are deleted; what departed is known by mod-sequence."""
    put(engine.store, "INBOX", 4, flags=["\\Deleted"])
    folder = engine.store.open("INBOX")
    before = folder.look().snapshot
    folder.store_flags([2], FlagChange.SET, [])
    assert list(folder.expunge([2, 3, 9])) == [3]
    middle = folder.look().snapshot
    assert list(folder.expunge()) == [1, 4]
    assert list(folder.look().snapshot.uids) == [2]
    assert list(folder.departed_since(before.modseq)) == [(1, 1), (3, 4)]
    assert list(folder.departed_since(middle.modseq)) == [(1, 1), (4, 4)]
    assert list(folder.states([1, 3])) == []
    folder.close()


def k15_nothing_stands_in_for_a_message_that_is_gone(engine: Engine) -> None:
    """However many of those named are gone, and whatever lies between."""
    put(engine.store, "INBOX", 5)
    folder = engine.store.open("INBOX")
    folder.store_flags([2, 4], FlagChange.ADD, ["\\Deleted"])
    folder.expunge([2])
    assert [state.uid for state in folder.store_flags([2, 4], FlagChange.ADD, ["\\Seen"]).states] == [4]
    assert list(folder.copy([2, 4, 5], "INBOX").uids) == [4, 5]
    assert flags_of(folder, [3]) == [frozenset()]
    folder.close()


def k9_a_message_is_recent_to_one_session(engine: Engine) -> None:
    """The first that may write; one that only looks takes nothing from it."""
    put(engine.store, "INBOX", 2)
    looking = engine.store.open("INBOX", read_only=True)
    assert looking.look().snapshot.count_recent() == 2
    first = engine.store.open("INBOX")
    shown = first.look().snapshot
    put(engine.store, "INBOX", 1)
    assert engine.store.status("INBOX").recent == 1
    shown = first.look(shown).snapshot
    assert (shown.count_recent(), shown.is_recent(3), shown.is_recent(4)) == (3, True, False)
    second = engine.store.open("INBOX")
    assert second.look().snapshot.count_recent() == 0
    for folder in (looking, first, second):
        folder.close()


def k29_what_is_delivered_beside_is_seen_at_the_next_look(engine: Engine) -> None:
    """In the order it came; it can be read and counted."""
    folder = engine.store.open("INBOX")
    shown = folder.look().snapshot
    engine.deliver(MESSAGE)
    engine.deliver(MESSAGE)
    changes = folder.look(shown)
    assert list(changes.arrived) == [1, 2]
    assert read(folder, 2) == MESSAGE
    status = engine.store.status("INBOX", with_octets=True)
    assert (status.messages, status.unseen, status.octets) == (2, 2, 2 * len(MESSAGE))
    assert folder.first_unseen() == 1
    folder.close()


def k11_create_makes_parents_and_delete_keeps_children(engine: Engine) -> None:
    """A name that only has children is no folder."""
    store = engine.store
    store.create("a/b/c/")
    assert names(store) == ["INBOX", "a", "a/b", "a/b/c"]
    expect(FolderExistsError, lambda: store.create("a/b"))
    store.delete("a")
    assert [(one.name, one.exists) for one in store.folders()][1:3] == [("a", False), ("a/b", True)]
    expect(NoFolderError, lambda: store.delete("a"))
    expect(NoFolderError, lambda: store.open("a"))
    expect(ForbiddenError, lambda: store.delete("inbox"))
    for name in ("", "x//y", "/x", "x\0", "x*", "x" * 300):
        expect(FolderNameError, lambda name=name: store.create(name))  # type: ignore[misc]
    store.create("a")
    assert names(store) == ["INBOX", "a", "a/b", "a/b/c"]


def k11_rename_moves_children_and_keeps_uids(engine: Engine) -> None:
    """INBOX stays, its messages move."""
    store = engine.store
    store.create("a/b")
    put(store, "a/b", 2)
    validity = store.status("a/b").uid_validity
    store.rename("a", "z/y")
    assert names(store) == ["INBOX", "z", "z/y", "z/y/b"]
    status = store.status("z/y/b")
    assert (status.messages, status.uid_next, status.uid_validity) == (2, 3, validity)
    expect(ForbiddenError, lambda: store.rename("z", "z/y/x"))
    expect(NoFolderError, lambda: store.rename("a", "b"))
    expect(FolderExistsError, lambda: store.rename("z/y", "z"))
    put(store, "INBOX", 2)
    store.rename("inbox", "Old/Mail")
    assert (store.status("INBOX").messages, store.status("Old/Mail").messages) == (0, 2)
    expect(FolderExistsError, lambda: store.rename("INBOX", "Old"))


def k12_subscriptions_survive_the_folder(engine: Engine) -> None:
    """There need be no such folder."""
    store = engine.store
    store.create("a")
    store.subscribe("a")
    store.subscribe("inbox")
    store.subscribe("never")
    store.delete("a")
    assert list(store.subscriptions()) == ["INBOX", "a", "never"]
    assert [one.subscribed for one in store.folders()] == [True]
    store.subscribe("a", subscribed=False)
    store.subscribe("a", subscribed=False)
    assert list(store.subscriptions()) == ["INBOX", "never"]


def k16_any_text_is_a_folders_name(engine: Engine) -> None:
    """Dots, ampersands and letters of all scripts, however they are composed."""
    store = engine.store
    for name in ("v1.2", "A & B", "Entwürfe", "日本/語.txt", "&AC4-", ".hidden", "inbox/Child"):
        store.create(name)
        store.open(name).close()
    assert {"v1.2", "A & B", "Entwürfe", "日本/語.txt", "&AC4-", ".hidden", "INBOX/Child"} < set(names(store))
    expect(FolderExistsError, lambda: store.create("Entwu\u0308rfe"))


def k21_special_uses_are_one_folders_each(engine: Engine) -> None:
    """They go with it; a habitual name has its use unless another folder has it."""
    store = engine.store
    store.create("Trash")
    assert uses(store) == {"Trash": "\\Trash"}
    store.create("Bin", ["\\trash"])
    assert uses(store) == {"Bin": "\\Trash"}
    expect(UseError, lambda: store.create("x", ["\\Foo"]))
    expect(UseError, lambda: store.create("x", ["\\Trash"]))
    assert "x" not in names(store)
    store.rename("Bin", "Waste/Bin")
    assert uses(store) == {"Waste/Bin": "\\Trash"}
    store.delete("Waste/Bin")
    assert uses(store) == {"Trash": "\\Trash"}


def k23_what_is_kept_of_a_message_goes_with_it(engine: Engine) -> None:
    """Of messages that are not there nothing is kept."""
    put(engine.store, "INBOX", 2, flags=["\\Deleted"])
    folder = engine.store.open("INBOX")
    folder.look()
    folder.keep_cached(Cached.ENVELOPE, {1: b"one", 2: b"", 9: b"nine"})
    assert folder.cached(Cached.ENVELOPE, [1, 2, 9]) == {1: b"one", 2: b""}
    assert folder.cached(Cached.PREVIEW, [1, 2]) == {}
    folder.expunge([1])
    assert folder.cached(Cached.ENVELOPE, [1, 2]) == {2: b""}
    folder.close()


def k29_who_rested_goes_on_as_before(engine: Engine) -> None:
    """And is told where the folder went meanwhile."""
    engine.store.create("Work")
    put(engine.store, "Work", 1)
    folder = engine.store.open("Work")
    shown = folder.look().snapshot
    folder.rest()
    put(engine.store, "Work", 1)
    assert list(folder.look(shown).arrived) == [2]
    folder.rest()
    engine.store.delete("Work")
    expect(FolderLostError, folder.look)
    folder.close()


CHECKS: Sequence[Check] = (
    k4_uids_ascend_and_are_never_used_again,
    k4_a_folder_made_again_has_another_uidvalidity,
    k5_what_is_served_is_what_came_whatever_it_was,
    k6_what_departed_keeps_its_place_until_it_may_be_told,
    k9_a_message_is_recent_to_one_session,
    k10_append_keeps_flags_and_dates_and_brings_all_or_none,
    k11_create_makes_parents_and_delete_keeps_children,
    k11_rename_moves_children_and_keeps_uids,
    k12_subscriptions_survive_the_folder,
    k15_keywords_are_kept_as_they_were_first_written,
    k15_nothing_stands_in_for_a_message_that_is_gone,
    k16_any_text_is_a_folders_name,
    k18_copies_are_new_messages_in_the_order_of_the_old,
    k18_only_what_is_deleted_and_named_is_expunged,
    k19_what_is_moved_is_there_and_no_longer_here,
    k21_special_uses_are_one_folders_each,
    k23_the_mod_sequence_grows_on_real_changes_only,
    k23_what_is_kept_of_a_message_goes_with_it,
    k29_what_is_delivered_beside_is_seen_at_the_next_look,
    k29_who_rested_goes_on_as_before,
)


def put(
    store: MailStore,
    name: str,
    count: int,
    *,
    flags: Sequence[str] = (),
    content: bytes = MESSAGE,
    at_once: int = 1 << 16,
) -> Sequence[int]:
    """Put messages into a folder, each written in pieces, and return their UIDs."""
    coming = store.append(name)
    for _ in range(count):
        coming.begin(flags, DATE_US, len(content))
        for begin in range(0, len(content), at_once):
            coming.write(content[begin : begin + at_once])
    return coming.finish().uids


def read(folder: OpenFolder, uid: int) -> bytes:
    """Return a message's octets."""
    with folder.open_message(uid) as message:
        return b"".join(message.chunks())


def flags_of(folder: OpenFolder, uids: Sequence[int]) -> list[frozenset[str]]:
    """Return flags by UID."""
    return [state.flags for state in folder.states(uids)]


def names(store: MailStore) -> list[str]:
    """Return the names in the tree."""
    return [entry.name for entry in store.folders()]


def uses(store: MailStore) -> dict[str, str]:
    """Return the special uses by name."""
    return {entry.name: entry.special_use for entry in store.folders() if entry.special_use}


def expect(kind: type[Exception], deed: Callable[[], object]) -> None:
    """Do something that fails so."""
    try:
        deed()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")
