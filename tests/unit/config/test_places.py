from pathlib import Path

import pytest

from paperpath.config.places import find_maildrop_folder, parse_folder, parse_inner_folder, parse_maildrop

NOT_INSIDE = ["", ".", "/var/mail", "..", "a/../../b", "a\0b"]


@pytest.mark.parametrize("text", ["data", "../data", "/var/lib/paperpath", "."])
def test_the_data_folder_may_be_anywhere(text):
    assert parse_folder(text) == Path(text)


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_a_data_folder_that_no_system_has_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected a folder"):
        parse_folder(text)


@pytest.mark.parametrize("text", NOT_INSIDE)
def test_what_the_programs_write_stays_inside_the_data_folder(text):
    with pytest.raises(ValueError, match=r"^expected a folder inside the data folder"):
        parse_inner_folder(text)
    with pytest.raises(ValueError, match=r'^expected "sqlite:FOLDER"'):
        parse_maildrop(f"sqlite:{text}")


@pytest.mark.parametrize("text", ["run", "accounts", "journal", "tls", "drop", "drop-damaged", "./run/x"])
def test_the_names_the_programs_use_themselves_are_refused(text):
    with pytest.raises(ValueError, match="for the programs' own use"):
        parse_inner_folder(text)
    with pytest.raises(ValueError, match="for the programs' own use"):
        parse_maildrop(f"sqlite:{text}")


def test_the_maildrop_names_a_folder():
    assert parse_inner_folder("boxes/of/mail") == Path("boxes/of/mail")
    assert parse_maildrop("sqlite:queue/main") == "sqlite:queue/main"
    assert find_maildrop_folder("sqlite:queue/main") == Path("queue/main")


@pytest.mark.parametrize("url", ["maildrop", "sqlite", "SQLITE:maildrop", "mysql:maildrop", ":maildrop"])
def test_a_maildrop_of_another_scheme_is_refused(url):
    with pytest.raises(ValueError, match=r'^expected "sqlite:FOLDER"'):
        parse_maildrop(url)


@pytest.mark.parametrize("url", ["postgresql://host/maildrop", "postgres:x"])
def test_postgresql_is_refused_as_not_there_yet(url):
    with pytest.raises(ValueError, match="postgresql is not there yet"):
        parse_maildrop(url)
