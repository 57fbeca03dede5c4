"""Programs, files and folders in the place of an address: checked, written and read again (L-4, F-4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.mail.address import AddressError, Mailbox, format_mailbox
from paperpath.mail.place import PlaceError, check_place, is_place, parse_recipient, split_command

TEXTS = st.text(st.sampled_from("ab/|.,\"'\\ @<>{}é") | st.characters(), max_size=40)


@given(st.sampled_from(["|/", "/"]), TEXTS)
def test_L4_what_is_a_place_is_read_as_it_was_written(mark: str, text: str) -> None:
    try:
        place = check_place(mark + text)
    except PlaceError:
        return
    assert is_place(place)
    assert parse_recipient(format_mailbox(place)) == place


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("|/bin/x", ["/bin/x"]),
        ("| /bin/x -a 'b c' \"d e\" f\\ g", ["/bin/x", "-a", "b c", "d e", "f g"]),
        ("|/bin/x $HOME `id` ; rm * # > y", ["/bin/x", "$HOME", "`id`", ";", "rm", "*", "#", ">", "y"]),
    ],
)
def test_F4_a_command_is_split_and_nothing_else_is_done_with_it(text: str, command: list[str]) -> None:
    assert split_command(text) == command


@pytest.mark.parametrize(
    "text", ["|", "| ", "|x", "|'/x", "|/x\n", "|" + "/x" * 128, "/", "/../x", "/x/..", "x", ""]
)
def test_L4_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(PlaceError):
        check_place(text)


@pytest.mark.parametrize(
    "address", [Mailbox("|/x", "here.example"), Mailbox("x", ""), Mailbox("", ""), Mailbox("a/b", "")]
)
def test_L4_an_address_is_no_place(address: Mailbox) -> None:
    assert not is_place(address)


@pytest.mark.parametrize("text", ["x", '"a b"', ":include:/x", "|/x y", "<|/x>", ""])
def test_L4_what_has_no_domain_and_is_no_place_is_no_recipient(text: str) -> None:
    with pytest.raises(AddressError):
        parse_recipient(text)


def test_an_address_is_a_recipient() -> None:
    assert parse_recipient('"|/x"@here.example') == Mailbox("|/x", "here.example")
    assert parse_recipient("Postmaster") == Mailbox("Postmaster", "")
