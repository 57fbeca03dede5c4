"""What a reload changes, and what waits for a restart."""

import pytest

from paperpath.config.changes import merge, only_removes_domains
from tests.unit.config.example import RIGHT, configure

RELAY = "[relay]\n"
OWN_LIST = """\
[dnslistd]
listen = ["127.0.0.1:5353"]
[[dnslistd.zone]]
name = "bad.example"
file = "bad"
"""
OTHER_PORT = RIGHT.replace("2525", "2526")


def with_domains(*domains: str) -> str:
    return RIGHT.replace(RELAY, f"{RELAY}domains = {list(domains)}\n".replace("'", '"'))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (RIGHT.replace("mail.", "other."), "hostname"),
        (f'data = "elsewhere"\n{RIGHT}', "data"),
        (f'maildrop = "sqlite:other"\n{RIGHT}', "maildrop"),
        (f'user = "mail"\n{RIGHT}', "user"),
        (f'log = "json"\n{RIGHT}', "log"),
        (f'{RIGHT}[metrics]\nlisten = "127.0.0.1:9925"\n', "metrics"),
        (f"{RIGHT}[service]\nwatchdog_s = 5\n", "service"),
        (OTHER_PORT, "relay.listen"),
        (RIGHT.replace(RELAY, f"{RELAY}processes = 5\n"), "relay.processes"),
        (f"{RIGHT}[local]\nthreads = 3\n", "local.threads"),
        (f'{RIGHT}[drop]\ngroup = "mail"\n', "drop.group"),
        (f"{RIGHT}{OWN_LIST}", "dnslistd"),
    ],
)
def test_what_a_program_started_with_stays_and_is_named(text: str, key: str) -> None:
    running = configure()
    assert merge(running, configure(text)) == (running, [key])


def test_nobody_takes_mail_for_users_before_the_helper_runs_that_delivers_it() -> None:
    text = f'user = "mail"\n{RIGHT}[local]\nsystem_users = '
    running = configure(text + "false")
    assert merge(running, configure(text + "true")) == (running, ["local.system_users"])


def test_the_rest_is_taken() -> None:
    new = configure(with_domains("a.example").replace("me@", "you@") + '[drop]\nsize = "1 MB"\n')
    assert merge(configure(), new) == (new, [])


def test_of_both_kinds_each_goes_its_way() -> None:
    merged, waiting = merge(configure(), configure(with_domains("a.example").replace("2525", "2526")))
    assert waiting == ["relay.listen"]
    assert merged == configure(with_domains("a.example"))


@pytest.mark.parametrize(
    ("before", "after", "only_removes"),
    [
        (("a.example", "b.example"), ("a.example",), True),
        (("a.example",), ("a.example", "b.example"), False),
        (("a.example",), ("b.example",), False),
        (("a.example",), ("a.example",), False),
    ],
)
def test_the_door_is_shut_first_only_where_domains_go(
    before: tuple[str, ...], after: tuple[str, ...], only_removes: bool
) -> None:
    assert (
        only_removes_domains(configure(with_domains(*before)), configure(with_domains(*after)))
        is only_removes
    )


SUBMISSION = "[submission]\nsize = {size}\nprocesses = {processes}\n"


def test_submission_that_comes_or_goes_waits_for_a_restart() -> None:
    without, with_it = configure(RIGHT), configure(RIGHT + SUBMISSION.format(size=65536, processes=1))
    for running, new in ((without, with_it), (with_it, without)):
        merged, waiting = merge(running, new)
        assert waiting == ["submission"]
        assert merged.submission == running.submission


def test_what_submission_takes_changes_at_once_and_its_processes_wait() -> None:
    running = configure(RIGHT + SUBMISSION.format(size=65536, processes=1))
    merged, waiting = merge(running, configure(RIGHT + SUBMISSION.format(size=65537, processes=2)))
    assert waiting == ["submission.processes"]
    assert merged.submission is not None
    assert (merged.submission.size, merged.submission.processes) == (65537, 1)


def test_other_lists_are_published_from_a_reload_on_and_other_ports_from_a_restart():
    running = configure(RIGHT + OWN_LIST)
    more = '[[dnslistd.zone]]\nname = "good.example"\nfile = "good"\n'
    new = configure(RIGHT + OWN_LIST.replace("5353", "53") + more)
    merged, waiting = merge(running, new)
    assert waiting == ["dnslistd.listen"]
    assert merged.dnslistd is not None
    assert [zone.name for zone in merged.dnslistd.zone] == ["bad.example", "good.example"]
    assert merged.dnslistd.listen[0].port == 5353
