"""What a configuration may say and most likely should not.

Called by `paperpath check` and `up`. Pure: looks at nothing but the configuration.
"""

from collections.abc import Iterator

from paperpath.config.agent_tables import ProgramTable
from paperpath.config.command_line import SHELL_DOUBT, hands_to_shell
from paperpath.config.intake_tables import RelayTable
from paperpath.config.tables import Configuration, DeliveryTable, PostOfficeTable
from paperpath.config.via import NextHost, split_via

SHORTEST_IDLE_TIMEOUT_S = 300  # RFC 5321 §4.5.3.2.7
EARLIEST_GIVING_UP_S = 4 * 86_400  # RFC 5321 §4.5.4.1


def find_warnings(configuration: Configuration) -> list[str]:
    """Return one sentence for each doubt, beginning with the key it is about."""
    relay, post_office = configuration.relay, configuration.post_office
    return [
        *_doubt_domains(relay, post_office),
        *_doubt_own_host(configuration),
        *_doubt_idle_timeout(relay),
        *_doubt_listeners(relay),
        *_doubt_giving_up(configuration.delivery),
        *_doubt_postmaster(post_office),
        *_doubt_shells(configuration),
        *_doubt_dane(configuration),
    ]


def _doubt_domains(relay: RelayTable, post_office: PostOfficeTable) -> Iterator[str]:
    for accepted in relay.domains:
        if post_office.find_route(accepted.text) is None:
            yield (
                f'relay.domains: no route matches all of "{accepted}": its mail goes to its mail exchangers, '
                "and fails if this host is the best of them"
            )


def _doubt_own_host(configuration: Configuration) -> Iterator[str]:
    for index, entry in enumerate(configuration.post_office.route):
        for target in split_via(entry.via):
            if isinstance(target, NextHost) and _is_ours(target, configuration):
                yield (
                    f"post_office.route[{index}].via: {target.host}, port {target.port}, "
                    "is this host itself; mail goes in circles"
                )


def _is_ours(target: NextHost, configuration: Configuration) -> bool:
    listen = configuration.relay.listen + configuration.relay.listen_proxy
    return any(endpoint.port == target.port for endpoint in listen) and (
        target.host == configuration.hostname
        or any(
            endpoint.host == target.host
            or (endpoint.is_unspecified and target.host in ("127.0.0.1", "::1", "localhost"))
            for endpoint in listen
        )
    )


def _doubt_idle_timeout(relay: RelayTable) -> Iterator[str]:
    if relay.idle_timeout_s < SHORTEST_IDLE_TIMEOUT_S:
        yield (
            f"relay.idle_timeout_s: {relay.idle_timeout_s:g} s is less than "
            f"the {SHORTEST_IDLE_TIMEOUT_S} s of RFC 5321 §4.5.3.2.7"
        )


def _doubt_giving_up(delivery: DeliveryTable) -> Iterator[str]:
    if delivery.give_up_after_s < EARLIEST_GIVING_UP_S:
        yield (
            f"delivery.give_up_after_s: {delivery.give_up_after_s:g} s is less than "
            f"the {EARLIEST_GIVING_UP_S} s, four days, of RFC 5321 §4.5.4.1"
        )


def _doubt_listeners(relay: RelayTable) -> Iterator[str]:
    for key, listen in (("listen", relay.listen), ("listen_proxy", relay.listen_proxy)):
        for endpoint in listen:
            if endpoint.is_unspecified and not relay.domains:
                yield f"relay.{key}: {endpoint} is every interface, and relay.domains is empty"


def _doubt_postmaster(post_office: PostOfficeTable) -> Iterator[str]:
    _, _, domain = post_office.postmaster.rpartition("@")
    route = post_office.find_route(domain)
    if route is None or route.via != "local":
        yield (
            f'post_office.postmaster: the route of "{domain}" is not "local", '
            "so mail for the postmaster has no mailbox here"
        )


def _doubt_shells(configuration: Configuration) -> Iterator[str]:
    for name, agent in configuration.agents.items():
        if isinstance(agent, ProgramTable) and hands_to_shell(agent.command):
            yield f"agents.{name}.command: {SHELL_DOUBT}"


def _doubt_dane(configuration: Configuration) -> Iterator[str]:
    """Doubt what was written down; by default it does what it can."""
    remote, servers = configuration.remote, configuration.dns.servers
    is_wanted = remote.dane and "dane" in remote.model_fields_set
    if is_wanted and servers and not any(server.is_loopback for server in servers):
        yield "remote.dane: no resolver of [dns] is on this host, and no other is believed about DNSSEC"
