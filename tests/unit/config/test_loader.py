from pathlib import Path

import pytest

from paperpath.config.loader import ConfigurationError, Problem, load_configuration, parse_configuration
from paperpath.config.tables import Configuration
from tests.unit.config.example import FILE, RIGHT, complain, configure


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "paperpath.toml"
    path.write_text(RIGHT)
    path.chmod(0o644)
    return path


def read_problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path)
    return caught.value.problems


def test_five_mistakes_give_five_messages_with_lines():
    text = """\
hostname = "localhost"
colour = "blue"

[relay]
listen = [
  "127.0.0.1:25",
  "127.0.0.1:99999",
]
size = true

[post_office]
"""
    assert complain(text) == [
        "paperpath.toml:1: hostname: expected the full name of this host,"
        ' such as "mail.example.org", got "localhost"',
        f"paperpath.toml:2: colour: unknown key; expected one of {', '.join(Configuration.model_fields)}",
        'paperpath.toml:7: relay.listen[1]: expected "ADDRESS:PORT", such as "127.0.0.1:25" or "[::1]:25",'
        ' the port from 1 to 65535, got "127.0.0.1:99999"',
        'paperpath.toml:9: relay.size: expected a number of octets, such as 1048576, "50 MiB" or "10 MB",'
        " got true",
        'paperpath.toml:11: post_office.postmaster: missing; expected an address such as "me@example.org"',
    ]


def test_an_empty_file_lacks_what_has_no_default_on_line_1():
    assert [line.partition(";")[0] for line in complain("")] == [
        "paperpath.toml:1: hostname: missing",
        "paperpath.toml:1: relay: missing",
        "paperpath.toml:1: post_office: missing",
    ]


def test_mistakes_of_two_keys_come_together_with_those_of_one():
    text = f"{RIGHT}colour = 1\n" + '[[post_office.route]]\ndomain = "a.test"\nvia = "local"\n' * 2
    assert [line.split(": ")[0:2] for line in complain(text)] == [
        ["paperpath.toml:8", "post_office.colour"],
        ["paperpath.toml:13", "post_office.route[1].domain"],
    ]


def test_problems_are_in_the_order_of_the_lines():
    text = "[local]\nthreads = 0\n[relay]\nsize = 0\nlisten = []\n[post_office]\npostmaster = 0\n"
    with pytest.raises(ConfigurationError) as caught:
        configure(text)
    assert [problem.line for problem in caught.value.problems] == [1, 2, 4, 5, 7]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = 1\nb = = 2\n", "paperpath.toml:2: column 5: Invalid value"),
        ("a = 1\nb = [1,\n", "paperpath.toml:3: column 1: Invalid value at the end of the file"),
        ("[a]\n[a]\n", "paperpath.toml:2: column 3: Cannot declare ('a',) twice"),
    ],
)
def test_a_syntax_error_is_one_message_with_line_and_column(text, shown):
    assert complain(text) == [shown]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a = " + "[" * 5000, "paperpath.toml: is nested too deeply"),
        ("a = " + "1" * 5000, "paperpath.toml: cannot be read: Exceeds the limit"),
    ],
    ids=["nesting", "digits"],
)
def test_what_the_parser_gives_up_on_is_a_problem_too(text, shown):
    [message] = complain(text)
    assert message.startswith(shown)


def test_a_right_file_is_loaded(file):
    assert load_configuration(file) == parse_configuration(RIGHT, file)


@pytest.mark.parametrize(("data", "folder"), [("data", "data"), ("../mail", "../mail"), ("/var/x", "/var/x")])
def test_the_data_folder_is_relative_to_the_folder_of_the_file(file, data, folder):
    file.write_text(f'data = "{data}"\n{RIGHT}')
    assert load_configuration(file).data == file.parent / folder


def test_the_data_folder_is_absolute_for_a_file_named_relatively(file, monkeypatch):
    monkeypatch.chdir(file.parent.parent)
    assert load_configuration(Path(file.parent.name, file.name)).data == file.parent / "data"


def test_a_missing_file_is_a_problem(tmp_path):
    path = tmp_path / "none.toml"
    assert read_problems(path) == (Problem(path, None, "cannot be read: No such file or directory"),)
    assert str(read_problems(path)[0]) == f"{path}: cannot be read: No such file or directory"


def test_a_folder_in_the_place_of_the_file_is_a_problem(tmp_path):
    assert read_problems(tmp_path) == (Problem(tmp_path, None, "cannot be read: Is a directory"),)


def test_a_file_that_is_not_utf8_is_a_problem_with_its_line(file):
    file.write_bytes(b'hostname = "a.b"\n# caf\xe9\n')
    assert read_problems(file) == (Problem(file, 2, "expected UTF-8, got the octet 0xe9"),)


def test_a_file_that_everybody_may_write_is_refused_with_the_remedy(file):
    file.chmod(0o646)
    problem = Problem(file, None, f"every user of this host may write it; run: chmod o-w {file}")
    assert read_problems(file) == (problem,)


def test_the_remedy_can_be_pasted_into_a_shell(tmp_path):
    path = tmp_path / "my mail.toml"
    path.write_text(RIGHT)
    path.chmod(0o666)
    assert read_problems(path)[0].message.endswith(f"chmod o-w '{path}'")


def test_the_other_problems_of_a_file_that_everybody_may_write_are_shown_too(file):
    file.write_text(f"colour = 1\n{RIGHT}")
    file.chmod(0o666)
    assert [problem.line for problem in read_problems(file)] == [None, 1]


def test_a_file_that_its_group_may_write_is_taken(file):
    file.chmod(0o660)
    assert load_configuration(file).hostname == "mail.example.org"


def test_a_problem_shows_the_file_as_it_was_named():
    assert str(Problem(FILE, 12, "relay.size: no")) == "paperpath.toml:12: relay.size: no"
