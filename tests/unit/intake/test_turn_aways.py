"""Who was turned away is told, and a flood of them is none in the journal (P9, S-2)."""

from paperpath.intake.turn_aways import MOST_NETWORKS, TurnAways
from paperpath.smtp.replies import R421_TOO_MANY_CONNECTIONS, R421_TOO_OFTEN

A, B = "192.0.2.1", "192.0.2.2"


def test_P9_who_is_turned_away_is_told_of_at_once() -> None:
    away = TurnAways()
    assert away.note(A, R421_TOO_OFTEN, 0) == 1
    assert away.note(B, R421_TOO_OFTEN, 0) == 1
    assert away.note(A, R421_TOO_MANY_CONNECTIONS, 0) == 1


def test_S2_a_network_is_told_of_once_a_minute_with_how_often_it_was() -> None:
    away = TurnAways()
    told = [away.note(A, R421_TOO_OFTEN, tenths / 10) for tenths in range(1250)]
    assert [count for count in told if count] == [1, 600, 600]


def test_S2_many_networks_are_told_of_one_a_second_and_sixty_at_once() -> None:
    away = TurnAways()
    told = [away.note(f"2001:db8:{number:x}::/64", R421_TOO_OFTEN, number / 1000) for number in range(10_000)]
    assert sum(told) == 60 + 9
    assert sum(away.note(A, R421_TOO_OFTEN, 20 + number) for number in range(2)) == 1


def test_P6_so_many_networks_are_remembered_and_no_more() -> None:
    away = TurnAways()
    for number in range(3 * MOST_NETWORKS):
        away.note(str(number), R421_TOO_OFTEN, 0)
    assert len(away._untold) == MOST_NETWORKS
