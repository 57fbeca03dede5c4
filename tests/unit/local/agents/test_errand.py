"""What programs are told (F-16, F-4): addresses are data, whatever they look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.config.command_line import NAMES
from paperpath.local.agents.errand import HyphenError, collect_values, make_arguments, make_environment
from tests.unit.local.agents.example import make_claim

FORMS = [f"{{{name}}}" for name in NAMES]


def test_F16_every_name_has_its_value() -> None:
    claim = make_claim(address="joe+List@here.example", accepted="team@here.example")
    assert make_arguments(FORMS, collect_values(claim, "+")) == [
        b"a@b.example",
        b"joe+List@here.example",
        b"joe+List",
        b"here.example",
        b"List",
        b"team@here.example",
    ]


def test_F16_what_is_not_there_is_empty_and_stays_an_argument() -> None:
    values = collect_values(make_claim(sender=""), "+")
    assert make_arguments(["/x", "{sender}", "{detail}", "{sender}{detail}"], values) == [
        b"/x",
        b"",
        b"",
        b"",
    ]


def test_F16_a_program_that_an_alias_names_is_told_the_address_that_was_accepted() -> None:
    claim = make_claim(address="|/usr/bin/x y", accepted="team+a@here.example")
    values = collect_values(claim, "+")
    assert (values["recipient"], values["local"], values["detail"]) == ("team+a@here.example", "team+a", "a")


def test_F16_the_environment_is_these_and_nothing_else() -> None:
    claim = make_claim(address='"j\\"o e+x"@here.example', accepted="jörg@here.example", sender="")
    assert make_environment(collect_values(claim, "+")) == {
        b"SENDER": b"",
        b"RECIPIENT": b'"j\\"o e+x"@here.example',
        b"LOCAL": b'j"o e+x',
        b"HOST": b"here.example",
        b"EXT": b"x",
        b"DETAIL": b"x",
        b"ORIGINAL_RECIPIENT": "jörg@here.example".encode(),
        b"PATH": b"/usr/local/bin:/usr/bin:/bin",
    }


@pytest.mark.parametrize(
    "local", ["`id`", "$(id)", ";rm", "../../x", "{sender}", "{}", "a b", "'", "*", "\\"]
)
def test_F4_L6_an_argument_stays_one_and_is_what_it_was(local: str) -> None:
    values = dict.fromkeys(NAMES, local)
    assert make_arguments(["/x", "{local}", "--to=<{local}>"], values) == [
        b"/x",
        local.encode(),
        f"--to=<{local}>".encode(),
    ]


@given(
    st.lists(st.sampled_from(["/x", "--", "-f", "{local}", "-f{local}", "a{local}"]), min_size=1), st.text()
)
def test_F4_there_are_as_many_arguments_as_in_the_command_and_no_new_options(
    command: list[str], local: str
) -> None:
    values = {name: local.encode("utf-8", "replace").decode() for name in NAMES}
    becomes_option = local.startswith("-") and "{local}" in command
    ended = "--" in command[: command.index("{local}")] if "{local}" in command else False
    try:
        arguments = make_arguments(command, values)
    except HyphenError:
        assert becomes_option
        assert not ended
    else:
        assert not becomes_option or ended
        assert len(arguments) == len(command)
