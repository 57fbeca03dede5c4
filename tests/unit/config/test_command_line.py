"""Commands of agents: what is refused when the configuration is read, and what is put in."""

import pytest

from paperpath.config.command_line import fill_in, parse_command


@pytest.mark.parametrize(
    "command",
    [["/usr/bin/x"], ["/usr/bin/x", "", "{sender}{detail}", "{}", "{ a }", "$HOME", "--", "-f{local}"]],
)
def test_a_command_is_taken_as_it_is(command: list[str]) -> None:
    assert parse_command(command) == tuple(command)


@pytest.mark.parametrize(
    "command",
    [[], [""], ["cat"], ["./cat"], ["/bin/{local}"], ["/bin/x", "{user}"], ["/bin/x", "a\0b"], ["{sender}"]],
)
def test_F4_a_command_that_could_not_be_meant_is_refused(command: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^expected a list of arguments"):
        parse_command(command)


def test_F4_what_is_put_in_is_not_looked_at_again() -> None:
    assert fill_in("{local}-{domain}-{local}", {"local": "{domain}", "domain": r"\1{local}"}) == (
        r"{domain}-\1{local}-{domain}"
    )
