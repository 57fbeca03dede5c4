"""From the tables [agents.NAME] to the agents of kind mbox and program."""

from pathlib import Path

import pytest

from paperpath.accounts.file import parse_accounts
from paperpath.folders.upkeep import Upkeep
from paperpath.local.agents.interface import Agent
from paperpath.local.agents.mbox import MboxAgent
from paperpath.local.agents.program import ProgramAgent
from paperpath.local.places import Depot, Miss, find_agent
from paperpath.mail.address import Mailbox
from tests.unit.config.example import RIGHT, complain, configure
from tests.unit.local.agents.example import make_claim

ACCOUNTS = parse_accounts("joe@here.example\there.example/joe\njörg@here.example\there.example/j=C3=B6rg\n")


def find(table: str, address: str = "joe@here.example") -> Agent | Miss:
    agents = configure(f"{RIGHT}[agents.x]\n{table}").agents
    depot = Depot(
        Path("/root"), ACCOUNTS, "+", Mailbox("admin", "here.example"), False, "mx", 0, Upkeep(), agents
    )
    return find_agent(make_claim(address=address), depot)


def test_a_program_has_bounds_unless_told_otherwise() -> None:
    assert find('kind = "program"\ncommand = ["/bin/x", "{local}"]') == ProgramAgent(
        "program x", ("/bin/x", "{local}"), "sysexits", 300.0, 1000, Path("/"), "+"
    )
    table = 'kind = "program"\ncommand = ["/bin/x"]\ncodes = "qmail"\ncwd = "/srv"\n'
    assert find(table + "timeout_s = 5\nmost_output = 0") == ProgramAgent(
        "program x", ("/bin/x",), "qmail", 5.0, 0, Path("/srv"), "+"
    )


def test_one_mbox_is_for_whoever_comes() -> None:
    for address in ("joe@here.example", "nobody@here.example"):
        expected = MboxAgent("mbox /var/mail/all", Path("/var/mail/all"))
        assert find('kind = "mbox"\npath = "/var/mail/all"', address) == expected


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("joe@here.example", "/var/mail/joe"),
        ('"JOE+../../x"@here.example', "/var/mail/joe"),
        ("jörg@here.example", "/var/mail/j=C3=B6rg"),
    ],
)
def test_L1_an_accounts_mbox_has_the_name_of_its_folder_and_of_no_address(address: str, file: str) -> None:
    assert find('kind = "mbox"\npath = "/var/mail/{account}"', address) == MboxAgent(
        f"mbox {file}", Path(file)
    )


@pytest.mark.parametrize("address", ["nobody@here.example", '"../joe"@here.example', "joe@else.example"])
def test_L1_P7_who_has_no_account_has_no_mbox_of_his_own(address: str) -> None:
    found = find('kind = "mbox"\npath = "/var/mail/{account}"', address)
    assert isinstance(found, Miss)
    assert found.reply.status == "5.1.1"


@pytest.mark.parametrize(
    ("table", "key"),
    [
        *(
            (f'kind = "mbox"\npath = "{path}"', "path")
            for path in (
                "mbox",
                "/",
                "/var/mail/",
                "/a/../b",
                "/{account}/mbox",
                "/var/mail/{local}",
                "/var/{}",
            )
        ),
        ('kind = "program"\ncommand = "/bin/x"', "command"),
        ('kind = "program"\ncommand = ["x"]', "command"),
        ('kind = "program"', "command"),
        ('kind = "program"\ncommand = ["/x"]\ncodes = "shell"', "codes"),
        ('kind = "program"\ncommand = ["/x"]\ntimeout_s = 0', "timeout_s"),
        ('kind = "program"\ncommand = ["/x"]\nmost_output = 5000', "most_output"),
        ('kind = "program"\ncommand = ["/x"]\ncwd = "."', "cwd"),
    ],
)
def test_F4_a_table_that_could_not_be_meant_is_refused(table: str, key: str) -> None:
    (problem,) = complain(f"{RIGHT}[agents.x]\n{table}")
    assert f"agents.x.{key}: " in problem
    assert "expected " in problem
