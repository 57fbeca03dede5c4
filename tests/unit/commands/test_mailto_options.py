"""J-17, L-9: the options of mailto, given in any order, and those of the environment."""

import os

import pytest

from paperpath.commands.exits import ExitError
from paperpath.commands.mailto_options import HELP, LETTERS, VARIABLE, Options, parse_options


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["u@x"], Options(recipients=("u@x",))),
        (["-s", "a b", "u@x"], Options(recipients=("u@x",), subject="a b")),
        (["u@x", "-sa b", "v@x"], Options(recipients=("u@x", "v@x"), subject="a b")),
        (["-s", "-50 %", "u@x"], Options(recipients=("u@x",), subject="-50 %")),
        (["-s", "--", "--", "-odd@x"], Options(recipients=("-odd@x",), subject="--")),
        (["-s", "", "u@x"], Options(recipients=("u@x",), subject="")),
        (["-s", "a", "-s", "b"], Options(subject="b")),
        (["-c", "a@x,b@x", "-c", "c@x"], Options(copies=("a@x,b@x", "c@x"))),
        (["-b", "a@x", "-bb@x"], Options(blind_copies=("a@x", "b@x"))),
        (["-r", "me@x"], Options(sender="me@x")),
        (["-r", "me@x", "-f", "you@x"], Options(sender="you@x")),
        (["-f", "<>"], Options(sender="")),
        (["-r", ""], Options(sender="")),
        (["-a", "f", "-A", "g", "-a", "-"], Options(attachments=("f", "g", "-"))),
        (["-C", "X: y", "-C", "Z: a"], Options(fields=("X: y", "Z: a"))),
        (["-S", "p.toml"], Options(file="p.toml")),
        (["-Ev", "u@x"], Options(recipients=("u@x",), skips_empty=True, is_verbose=True)),
        (["-niN", "u@x"], Options(recipients=("u@x",))),
        (["-h"], Options(wants_help=True)),
        (["--help", "u@x"], Options(recipients=("u@x",), wants_help=True)),
        ([], Options()),
    ],
)
def test_J17_each_option(words: list[str], options: Options) -> None:
    assert parse_options(words, {}) == options


def test_L9_options_of_the_environment_come_first() -> None:
    environment = {VARIABLE: "-E -c 'Joe Doe <joe@x>' -s usual"}
    assert parse_options(["-s", "own", "-c", "b@x", "u@x"], environment) == Options(
        recipients=("u@x",), copies=("Joe Doe <joe@x>", "b@x"), subject="own", skips_empty=True
    )
    assert parse_options(["u@x"], environment).subject == "usual"


@pytest.mark.parametrize("words", [["-Z"], ["-s"], ["--subject=x"], ["u@x", "-t"], ["-\x1b"], ["-\udcff"]])
def test_J17_what_is_no_option_is_refused(words: list[str]) -> None:
    with pytest.raises(ExitError, match="mailto --help says more") as caught:
        parse_options(words, {})
    assert caught.value.exit_code == 64
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["u@x", "-s 'x", "-Z", "-v -- u@x"])
def test_L9_the_environment_has_options_only(text: str) -> None:
    with pytest.raises(ExitError) as caught:
        parse_options(["u@x"], {VARIABLE: text})
    assert caught.value.exit_code == 64


def test_words_that_mean_nothing_in_the_locale_are_utf_8_but_those_of_files() -> None:
    word = os.fsdecode("ü\udc80".encode("utf-8", "surrogateescape"))
    latin = "ü".encode().decode("ascii", "surrogateescape")
    options = parse_options(["-s", latin, "-a", latin, "-a", word, latin], {})
    assert (options.subject, options.recipients) == ("ü", ("ü",))
    assert options.attachments == (latin, word)


def test_the_help_names_every_letter() -> None:
    for letter in LETTERS.replace(":", ""):
        assert f"-{letter}" in HELP
