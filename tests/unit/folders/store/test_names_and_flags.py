"""What stands in names: folders and flags, whatever they are (K-16, F-8)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.folders.store.errors import FolderNameError
from paperpath.folders.store.flags import FlagNames, read_flags, split_entry, write_flags
from paperpath.folders.store.folder_names import check_new_name, parents_of, to_name, to_step
from paperpath.folders.store.home_state import HomeState, format_state, parse_state

LETTERED = (1 << 32) - 1


@given(st.text(max_size=40))
def test_K16_each_name_is_one_directory_and_back(name: str) -> None:
    try:
        checked = check_new_name(name)
    except FolderNameError:
        return
    step = to_step(checked)
    assert to_name(step) == checked
    assert step.isascii()
    assert "/" not in step
    assert ".." not in step
    assert step.count(".") == 1 + checked.count("/") or checked == "INBOX"
    assert check_new_name(checked) == checked
    assert all(checked.startswith(parent + "/") for parent in parents_of(checked))


@given(st.text(alphabet="&-.aü/+,", min_size=1, max_size=12))
def test_K16_directories_of_others_have_names_too(step: str) -> None:
    to_name("." + step.replace("/", ""))


@given(st.integers(0, LETTERED), st.text(alphabet="DFPRSTXYabz", max_size=8))
def test_F8_names_say_flags_and_keep_what_is_not_ours(flags: int, letters: str) -> None:
    suffix = write_flags(f":2,{letters},more", flags)
    assert read_flags(suffix) == flags
    assert list(suffix[3:-5]) == sorted(suffix[3:-5])
    assert set("XY") & set(letters) == set("XY") & set(suffix)
    assert suffix.endswith(",more")
    assert write_flags(suffix, flags) == suffix


def test_F8_what_says_nothing_is_no_flag() -> None:
    assert [read_flags(suffix) for suffix in ("", ":", ":1,S", ":2", ":2,")] == [0] * 5
    assert split_entry("1.M2.host,S=3:2,S") == ("1.M2.host,S=3", ":2,S")


def test_K15_a_number_without_a_name_shows_nothing() -> None:
    names = FlagNames(["Todo", "", "Later"])
    bits = names.to_number(["todo", "LATER", "\\seen", "unknown"])
    assert names.to_flags(bits | bits << 1) >= {"Todo", "Later", "\\Seen"}
    assert "" not in names.to_flags(LETTERED)
    assert names.find_new(["x", "X", "\\Recent", "TODO", "$forwarded"]) == ["X"]


@given(st.text() | st.binary().map(lambda octets: octets.decode("latin-1")))
def test_K4_any_text_is_a_state(text: str) -> None:
    state = parse_state(text)
    assert parse_state(format_state(state)) == state


def test_K12_a_state_is_read_as_it_was_written() -> None:
    state = HomeState(7, ("a/ü", "b"), {"a/ü": "\\Sent"}, ("from", "to"))
    assert parse_state(format_state(state)) == state
    assert parse_state("[1]") == parse_state('{"uid_validity": null}') == HomeState()
