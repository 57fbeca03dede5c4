"""What lists decide, and whom a blacklisted client may write to (C-11, C-12, C-18, C-20, C-21; X-10)."""

import pytest

from paperpath.config.client_list import parse_client_list
from paperpath.dns.lists import Finding, Standing
from paperpath.intake.client_lists import Look, rule_on
from paperpath.mail.address import parse_mailbox

LISTED, UNLISTED = Finding(Standing.LISTED, "127.0.0.2"), Finding(Standing.UNLISTED)
FAILED, IGNORED = Finding(Standing.FAILED, "no answer"), Finding(Standing.IGNORED, "it lists everything")
CLIENT = "192.0.2.99"


def look(colour: str, finding: Finding) -> Look:
    return Look(parse_client_list(f"{colour}:list.example"), finding)


@pytest.mark.parametrize(
    ("colour", "finding", "decides"),
    [
        ("black", LISTED, True),
        ("black", UNLISTED, False),
        ("black", FAILED, False),
        ("black", IGNORED, False),
        ("white", LISTED, True),
        ("white", UNLISTED, False),
        ("white", FAILED, True),
        ("white", IGNORED, False),
    ],
)
def test_C18_C21_which_list_decides(colour, finding, decides):
    assert look(colour, finding).decides is decides


@pytest.mark.parametrize("finding", [LISTED, FAILED])
@pytest.mark.parametrize("local", ["postmaster", "u"])
def test_C12_whitelisted_is_as_if_there_were_no_lists(finding, local):
    ruling = rule_on(CLIENT, look("white", finding), "a reason")
    assert ruling.judge(parse_mailbox(f"{local}@here.example")) is None
    assert rule_on(CLIENT, None).judge(parse_mailbox(f"{local}@here.example")) is None


@pytest.mark.parametrize(
    "address",
    [
        "postmaster@here.example",
        "PostMaster@else.example",
        '"postmaster"@here.example',
        '"post\\master"@here.example',
        '"POSTMASTER"@[192.0.2.1]',
    ],
)
def test_C11_X10_a_blacklisted_client_may_write_to_postmasters(address):
    assert rule_on(CLIENT, look("black", LISTED)).judge(parse_mailbox(address)) is None


@pytest.mark.parametrize(
    "address",
    ["u@here.example", "postmaster2@here.example", '" postmaster"@here.example', "abuse@here.example"],
)
def test_C11_X10_and_to_nobody_else(address):
    reply = rule_on(CLIENT, look("black", LISTED), "see http://bad.example").judge(parse_mailbox(address))
    assert reply is not None
    assert str(reply) == "550 5.7.1 Mail from 192.0.2.99 is refused: see http://bad.example"


def test_C20_without_a_reason_there_is_a_general_one():
    refusal = rule_on(CLIENT, look("black", LISTED)).refusal
    assert refusal is not None
    assert "postmaster" in str(refusal)


def test_no_reply_tells_the_domain_of_a_list():
    # which may have the key of a subscriber in it
    assert "list.example" not in str(rule_on(CLIENT, look("black", LISTED)).refusal)
