"""How to get to a destination, as the configuration says (G-10, G-34, issue of remote delivery)."""

from pathlib import Path

from paperpath.config.via import NextHost
from paperpath.remote.route import Login, Route, Security, find_route
from tests.unit.config.example import RIGHT, configure


def route(text: str, destination: str) -> Route:
    return find_route(
        destination, configure(f'{RIGHT}[[post_office.route]]\ndomain = "there.example"\n{text}')
    )


def test_a_domain_goes_to_its_mail_exchangers():
    assert route('via = "mx"', "there.example") == Route("there.example", (), Security("opportunistic"))
    assert route('via = "mx"\ntls = "require"', "there.example").security == Security("require")
    assert route('via = "mx"\ntls = "require"', "else.example").security == Security("opportunistic")


def test_hosts_are_tried_in_their_order():
    destination = "smtp://a.example:25 smtps://b.example:465"
    found = route('via = ["smtp://a.example:25", "smtps://b.example:465"]\ntls = "never"', destination)
    assert found.hosts == (NextHost("a.example", 25, False), NextHost("b.example", 465, True))
    assert found.security == Security("never")


def test_G34_who_logs_in_does_so_inside_verified_tls():
    found = route(
        'via = "smtp://a.example:587"\nuser = "me"\npassword_file = "/secret"', "smtp://a.example:587"
    )
    assert found.security == Security("require", verifies=True)
    assert found.login == Login("me", Path("/secret"))


def test_a_route_of_the_operator_alone_is_as_remote_delivery_has_it():
    found = route('via = "mx"', "smtp://a.example:25")
    assert found == Route(
        "smtp://a.example:25", (NextHost("a.example", 25, False),), Security("opportunistic")
    )


def test_G34_a_host_that_is_to_be_verified_is_never_spoken_with_in_the_clear():
    found = route('via = "smtp://a.example:25"\nca_file = "/authorities.pem"', "smtp://a.example:25")
    assert found.security == Security("require", verifies=True, ca_file=Path("/authorities.pem"))
