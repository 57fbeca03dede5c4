"""Whose word counts on how a host is spoken with (G-36, G-39)."""

import asyncio
from pathlib import Path

import pytest

from paperpath.config.via import NextHost
from paperpath.mail.reply import make_reply
from paperpath.remote.connection import SessionError
from paperpath.remote.contact import Hop
from paperpath.remote.route import Route, Security
from paperpath.remote.tls_policy import Rule, SecurityFinder
from paperpath.smtp.client_states import Wait

HOP = Hop("mx.x.example", "192.0.2.1", 25)
OPPORTUNISTIC = Security("opportunistic")
REQUIRED = Security("require")
VERIFIED = Security("require", verifies=True)


def rule(found: Security | None) -> Rule:
    async def ask(route: Route, hop: Hop) -> Security | None:
        return found

    return ask


async def refuse(route: Route, hop: Hop) -> Security | None:
    raise SessionError(make_reply(451, "4.7.5", "no"), Wait.GREETING, is_ours=True)


def find(route: Route, *rules: Rule) -> Security:
    return asyncio.run(SecurityFinder(rules).find(route, HOP))


@pytest.mark.parametrize("security", [OPPORTUNISTIC, REQUIRED])
def test_G36_the_first_rule_decides_that_has_something_to_say(security):
    route = Route("x.example", (), security)
    assert find(route, rule(None), rule(VERIFIED), rule(REQUIRED)) == VERIFIED
    assert find(route, rule(None)) == security
    assert find(route) == security


def test_G39_what_a_rule_refuses_no_other_allows():
    with pytest.raises(SessionError):
        find(Route("x.example", (), OPPORTUNISTIC), refuse, rule(VERIFIED))


@pytest.mark.parametrize(
    "route",
    [
        Route("x.example", (NextHost("smart.example", 25, is_encrypted=False),), OPPORTUNISTIC),
        Route("x.example", (), Security("never")),
        Route("x.example", (), Security("require", verifies=True, ca_file=Path("/ca.pem"))),
    ],
)
def test_G36_where_a_route_decides_nobody_is_asked(route):
    assert find(route, refuse) == route.security
