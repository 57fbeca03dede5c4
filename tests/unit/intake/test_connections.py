"""Who is let in while how many others are there (P6, S-2)."""

from hypothesis import given
from hypothesis import strategies as st

from paperpath.intake.access import ServiceClass
from paperpath.intake.connections import Connections
from paperpath.mail.reply import Reply
from paperpath.smtp import replies

NORMAL, PRIVILEGED = ServiceClass.NORMAL, ServiceClass.PRIVILEGED
A, B = "192.0.2.1", "192.0.2.2"


def come(connections: Connections, address: str, service: ServiceClass) -> Reply | None:
    """Take a place and enter; give the place back where that is refused."""
    if (refusal := connections.take_place()) is not None:
        return refusal
    if (refusal := connections.enter(address, service)) is not None:
        connections.leave(None)
    return refusal


def test_P6_one_address_has_no_more_than_its_part_and_others_are_let_in() -> None:
    connections = Connections(5, 2)
    assert [come(connections, A, NORMAL) for _ in range(3)] == [None, None, replies.R421_TOO_MANY_FROM_CLIENT]
    assert come(connections, B, NORMAL) is None
    connections.leave(A)
    assert come(connections, A, NORMAL) is None
    assert come(connections, A, NORMAL) is replies.R421_TOO_MANY_FROM_CLIENT


def test_P6_there_is_an_end_to_all_together_and_for_the_privileged_too() -> None:
    connections = Connections(3, 1)
    assert [come(connections, A, PRIVILEGED) for _ in range(3)] == [None] * 3
    for service in ServiceClass:
        assert come(connections, B, service) is replies.R421_TOO_MANY_CONNECTIONS
    connections.leave(A)
    assert come(connections, B, NORMAL) is None


def test_P6_a_network_of_ipv6_addresses_is_one_client() -> None:
    connections = Connections(9, 1)
    assert come(connections, "2001:db8::1", NORMAL) is None
    assert come(connections, "2001:db8::ffff:0:0:2", NORMAL) is replies.R421_TOO_MANY_FROM_CLIENT
    assert come(connections, "2001:db8:0:1::1", NORMAL) is None
    assert come(connections, "fe80::1%eth0", NORMAL) is None
    assert come(connections, "", NORMAL) is None  # gone already


def test_a_flood_is_told_once_a_second_with_how_many_it_was() -> None:
    connections = Connections(0, 0)
    told = []
    for tenths in range(25):
        come(connections, A, NORMAL)
        told.append(connections.take_untold(100 + tenths / 10))
    assert [count for count in told if count] == [1, 10, 10]


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
    assert not connections._by_client
    assert not connections._count
