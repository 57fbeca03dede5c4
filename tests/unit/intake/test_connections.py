"""Who is let in while how many others are there (P6, S-2)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.intake.access import ServiceClass
from paperpath.intake.connections import Connections
from paperpath.intake.limits import Limit

NORMAL, PRIVILEGED = ServiceClass.NORMAL, ServiceClass.PRIVILEGED
A, B = "192.0.2.1", "192.0.2.2"


def come(connections: Connections, network: str, service: ServiceClass) -> Limit | None:
    """Take a place and enter; give the place back where that is refused."""
    if (refusal := connections.take_place()) is not None:
        return refusal
    if (refusal := connections.enter(network, service)) is not None:
        connections.leave(None)
    return refusal


def test_P6_one_address_has_no_more_than_its_part_and_others_are_let_in() -> None:
    connections = Connections(5, 2)
    assert [come(connections, A, NORMAL) for _ in range(3)] == [None, None, Limit.CONNECTIONS_OF_NETWORK]
    assert come(connections, B, NORMAL) is None
    connections.leave(A)
    assert come(connections, A, NORMAL) is None
    assert come(connections, A, NORMAL) is Limit.CONNECTIONS_OF_NETWORK


def test_P6_there_is_an_end_to_all_together_and_for_the_privileged_too() -> None:
    connections = Connections(3, 1)
    assert [come(connections, A, PRIVILEGED) for _ in range(3)] == [None] * 3
    for service in ServiceClass:
        assert come(connections, B, service) is Limit.CONNECTIONS
    connections.leave(A)
    assert come(connections, B, NORMAL) is None


@given(st.lists(st.tuples(st.sampled_from([A, B, "2001:db8::1"]), st.booleans(), st.booleans()), max_size=60))
def test_P6_the_bounds_hold_and_nothing_is_left_of_who_has_gone(
    moves: list[tuple[str, bool, bool]],
) -> None:
    connections, inside = Connections(7, 3), list[str]()
    for address, leaves, is_privileged in moves:
        if leaves and address in inside:
            connections.leave(address)
            inside.remove(address)
        elif come(connections, address, PRIVILEGED if is_privileged else NORMAL) is None:
            assert is_privileged or inside.count(address) < 3
            inside.append(address)
        else:
            assert len(inside) == 7 or inside.count(address) >= 3
        assert len(inside) <= 7
    for address in inside:
        connections.leave(address)
    assert not connections._by_network
    assert not connections.count
