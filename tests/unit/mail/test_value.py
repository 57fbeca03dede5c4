"""What a class of values is to Python; that nobody sets a field of one is the type checker's to see."""

from dataclasses import field, replace

from paperpath.mail.value import value


@value
class Pair:
    left: int
    right: str = "nothing"
    noted: int = field(init=False, repr=False, compare=False, default=0)


def test_values_are_equal_by_their_fields_and_can_be_looked_up_by_them():
    pair = Pair(1, "one")
    assert pair == Pair(1, "one")
    assert pair != Pair(1)
    assert {pair: "found"}[Pair(1, "one")] == "found"
    assert repr(pair) == "Pair(left=1, right='one')"


def test_what_is_not_compared_makes_no_difference():
    pair = Pair(1)
    object.__setattr__(pair, "noted", 7)
    assert pair == Pair(1)
    assert hash(pair) == hash(Pair(1))


def test_a_value_has_its_fields_and_room_for_nothing_else():
    assert not hasattr(Pair(1), "__dict__")
    assert replace(Pair(1), right="one") == Pair(1, "one")
    match Pair(2, "two"):
        case Pair(left, right):
            assert (left, right) == (2, "two")
