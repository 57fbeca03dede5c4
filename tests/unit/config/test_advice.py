import pytest

from paperpath.config.advice import find_warnings
from tests.unit.config.example import RIGHT, configure

ADVISED = RIGHT + '[[post_office.route]]\ndomain = "example.org"\nvia = "local"\n'


def advise(domains: list[str], **routes: str) -> list[str]:
    """Return the warnings for accepted domains and routes; "_" is written for a dot in a route's name."""
    tables = "".join(
        f'[[post_office.route]]\ndomain = "{name.replace("_", ".")}"\nvia = "{via}"\n'
        for name, via in routes.items()
    )
    text = ADVISED.replace("[relay]", f"[relay]\ndomains = {domains}")
    return find_warnings(configure(text + tables))


def no_route(domain: str) -> str:
    return (
        f'relay.domains: no route matches all of "{domain}": its mail goes to its mail exchangers, '
        "and fails if this host is the best of them"
    )


def test_a_configuration_without_doubts_has_no_warnings():
    assert find_warnings(configure(ADVISED)) == []
    assert advise(["example.org", "a.example.net", ".b.example.net"], _example_net="local") == []


def test_every_accepted_domain_without_a_route_is_warned_of():
    assert advise(["example.org", "example.net", "example.com"]) == [
        no_route("example.net"),
        no_route("example.com"),
    ]


def test_a_route_for_one_subdomain_is_none_for_all():
    assert advise([".example.net"], a_example_net="local") == [no_route(".example.net")]


def test_a_route_for_the_domain_is_none_for_its_subdomains():
    assert advise([".example.org"]) == [no_route(".example.org")]


def test_the_route_for_all_domains_delivers_the_rest():
    assert advise(["example.net", ".example.net"], **{"*": "local"}) == []


@pytest.mark.parametrize("route", ["*", "_net", "_example_net"])
def test_E3_accepted_mail_that_goes_on_to_other_hosts_is_fine(route):
    assert advise([".example.net"], **{route: "mx"}) == []


def test_an_mx_route_for_what_is_not_accepted_is_fine():
    assert advise(["example.org"], **{"*": "mx"}) == []


@pytest.mark.parametrize(
    ("via", "warned"),
    [
        ("smtp://127.0.0.1:2525", True),
        ("smtp://mail.example.org:2525", True),
        ("smtp://127.0.0.1:25", False),
        ("smtp://192.0.2.1:2525", False),
    ],
)
def test_E3_a_route_that_leads_back_here_is_warned_of(via, warned):
    host = via.removeprefix("smtp://").removesuffix(":2525")
    expected = f"post_office.route[1].via: {host}, port 2525, is this host itself; mail goes in circles"
    assert advise([], else_example=via) == [expected] * warned


@pytest.mark.parametrize(("seconds", "warned"), [("299.5", True), ("300", False)])
def test_an_idle_timeout_under_five_minutes_is_warned_of(seconds, warned):
    warnings = find_warnings(configure(ADVISED.replace("[relay]", f"[relay]\nidle_timeout_s = {seconds}")))
    expected = [f"relay.idle_timeout_s: {seconds} s is less than the 300 s of RFC 5321 §4.5.3.2.7"]
    assert warnings == (expected if warned else [])


@pytest.mark.parametrize("endpoint", ["0.0.0.0:25", "[::]:25"])
def test_listening_on_every_interface_without_a_domain_is_warned_of(endpoint):
    text = ADVISED.replace("127.0.0.1:2525", endpoint)
    accepting = text.replace("[relay]", '[relay]\ndomains = ["example.org"]')
    assert find_warnings(configure(text)) == [
        f"relay.listen: {endpoint} is every interface, and relay.domains is empty"
    ]
    behind_proxy = ADVISED.replace("[relay]", f'[relay]\nlisten_proxy = ["{endpoint}"]\nproxies = ["::1"]')
    assert find_warnings(configure(behind_proxy)) == [
        f"relay.listen_proxy: {endpoint} is every interface, and relay.domains is empty"
    ]
    assert find_warnings(configure(accepting)) == []


@pytest.mark.parametrize(
    "routes", ["", '[[post_office.route]]\ndomain = "*"\nvia = "mx"\n'], ids=["none", "mx"]
)
def test_a_postmaster_who_is_not_local_is_warned_of(routes):
    assert find_warnings(configure(RIGHT + routes)) == [
        'post_office.postmaster: the route of "example.org" is not "local", '
        "so mail for the postmaster has no mailbox here"
    ]


@pytest.mark.parametrize(("seconds", "warned"), [(345_600, False), (3600, True)])
def test_giving_up_before_four_days_is_warned_of(seconds, warned):
    warnings = find_warnings(configure(f"{ADVISED}\n[delivery]\ngive_up_after_s = {seconds}\n"))
    expected = [
        f"delivery.give_up_after_s: {seconds} s is less than the 345600 s, four days, of RFC 5321 §4.5.4.1"
    ]
    assert warnings == (expected if warned else [])


@pytest.mark.parametrize(
    ("command", "warned"),
    [
        (["/bin/sh", "-c", "cat > /x/{sender}"], True),
        (["/usr/bin/env", "bash", "-ec", "x"], True),
        (["/usr/bin/fish", "--command", "x"], True),
        (["/bin/busybox", "sh", "-c", "x"], True),
        (["/bin/sh", "/usr/local/bin/script", "{sender}"], False),
        (["/usr/bin/env", "archive", "-c"], False),
        (["/usr/bin/env"], False),
        (["/usr/bin/archive", "-c", "x"], False),
    ],
)
def test_L6_a_command_that_hands_addresses_to_a_shell_is_warned_of(command: list[str], warned: bool) -> None:
    table = f'[agents.x]\nkind = "program"\ncommand = {command}\n'
    warnings = find_warnings(configure(ADVISED + table))
    assert [warning.partition(":")[0] for warning in warnings] == (["agents.x.command"] if warned else [])


@pytest.mark.parametrize(
    ("remote", "server", "warned"),
    [
        ("dane = true", "192.0.2.53:53", True),
        ("dane = true", "127.0.0.1:53", False),
        ("dane = false", "192.0.2.53:53", False),
        ("", "192.0.2.53:53", False),
    ],
)
def test_G36_DANE_without_a_resolver_on_this_host_is_warned_of(remote, server, warned):
    found = find_warnings(configure(f'{ADVISED}[remote]\n{remote}\n[dns]\nservers = ["{server}"]\n'))
    assert [text.split(":")[0] for text in found] == ["remote.dane"] * warned
