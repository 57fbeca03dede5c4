"""Access rules that contradict one another, or make an open relay, are refused with their line (P7)."""

import pytest

from tests.unit.config.example import RIGHT, complain, configure

SUBMISSION = "[submission]\nlisten = ['127.0.0.1:587']\n"


def with_access(*entries: str, way_in: str = "relay", more: str = "") -> str:
    tables = "".join(f"[[{way_in}.access]]\n{entry}\n" for entry in entries)
    return RIGHT + (SUBMISSION if way_in == "submission" else "") + more + tables


def test_clients_named_twice_are_refused_with_the_line_of_the_first() -> None:
    [first, second] = complain(
        with_access(
            'clients = ["192.0.2.0/24"]\nhosts = [".example.net"]\nservice = "null"',
            'clients = ["192.0.2.0/25", "::ffff:192.0.2.0/120"]\nservice = "deny"',
            'hosts = [".EXAMPLE.net"]\nservice = "deny"',
        )
    )
    assert (
        ': relay.access[1].clients[1]: expected one rule for each; "192.0.2.0/24" has one on line ' in first
    )
    assert ': relay.access[2].hosts[0]: expected one rule for each; ".example.net" has one on line ' in second


@pytest.mark.parametrize("way_in", ["relay", "submission"])
@pytest.mark.parametrize(
    "clients", ['["0.0.0.0/0"]', '["::/0"]', '["192.0.2.1", "0.0.0.0/1", "128.0.0.0/1"]']
)
def test_P7_rules_that_relay_for_everyone_are_refused_unless_they_are_wanted(
    way_in: str, clients: str
) -> None:
    entry = f'clients = {clients}\nservice = "privileged"'
    [message] = complain(with_access(entry, way_in=way_in))
    assert f": {way_in}.access[0].clients[" in message
    assert "would relay for everyone, or nearly so; expected the networks of clients that you know" in message
    assert message.endswith(f"or open_relay = true in [{way_in}]")
    told = RIGHT.replace("[relay]", "[relay]\nopen_relay = true") if way_in == "relay" else RIGHT
    more = f"{SUBMISSION}open_relay = true\n" if way_in == "submission" else ""
    configure(f"{told}{more}[[{way_in}.access]]\n{entry}\n")


def test_P7_everybody_may_have_any_other_service() -> None:
    configure(with_access('clients = ["0.0.0.0/0", "::/0"]\nservice = "null"'))


def test_an_entry_names_somebody() -> None:
    [message] = complain(with_access('service = "null"'))
    assert message.endswith("relay.access[0]: expected clients, hosts, or both, got a table")
    [message] = complain(with_access('hosts = ["[192.0.2.1]"]\nservice = "null"'))
    assert 'relay.access[0].hosts[0]: expected a host such as "mail.example.org"' in message


@pytest.mark.parametrize("access", ["5", "[5]", '[{clients = 5, hosts = [5], service = "privileged"}]'])
def test_what_the_models_refuse_is_passed_over(access: str) -> None:
    text = RIGHT.replace("[relay]", f"[relay]\naccess = {access}")
    assert "expected one rule" not in "".join(complain(text))
