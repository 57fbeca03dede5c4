import pytest

from paperpath.config.via import NextHost, NextSocket, parse_lmtp, parse_refusal, parse_via, split_via
from tests.unit.config.example import RIGHT, complain, configure

ROUTE = RIGHT + '[[post_office.route]]\ndomain = "a.example"\n'


@pytest.mark.parametrize(
    ("text", "via"),
    [
        ("local", "local"),
        ("mx", "mx"),
        ("refuse", "refuse"),
        ("smtp://Mail.Example.ORG:25", "smtp://mail.example.org:25"),
        ("smtps://192.0.2.1:465", "smtps://192.0.2.1:465"),
        ("smtp://[2001:DB8:0::1]:24", "smtp://[2001:db8::1]:24"),
        ("smtp://1host.example:0025", "smtp://1host.example:25"),
        ("smtp://localhost:24", "smtp://localhost:24"),
        ("smtp://A.example:25 smtps://b.example:465", "smtp://a.example:25 smtps://b.example:465"),
        ("lmtp://Store.example:24", "lmtp://store.example:24"),
        ("lmtp://[2001:DB8:0::25]:2525", "lmtp://[2001:db8::25]:2525"),
        ("lmtp://unix:/run/Store/lmtp", "lmtp://unix:/run/Store/lmtp"),
        ("lmtp://unix:24", "lmtp://unix:24"),
        ("lmtp://unix:/run/lmtp lmtp://b.example:24", "lmtp://unix:/run/lmtp lmtp://b.example:24"),
    ],
)
def test_a_way_is_kept_in_one_spelling(text, via):
    assert parse_via(text) == parse_via(via) == via


@pytest.mark.parametrize(
    "text",
    [
        "", "Local", "pigeon", "smtp://", "smtp://host", "smtp://host:0", "smtp://host:65536",
        "smtp://a b:25", "http://host:25",
        "smtp://host:25/", "smtp://u@host:25", "smtp://1.2.3:25", "smtp://[::g]:25",
        "smtp://bücher.example:25", "smtp://host:25\n", "smtp://host:٢٥", "smtp:/host:25", "smtp://-a:25",
        "lmtp://", "lmtp://host", "lmtp:///run/lmtp", "lmtp://unix:run/lmtp", "smtp://unix:/run/lmtp",
        "smtps://unix:/run/lmtp", "lmtp://unix:/run/bücher", "lmtps://host:24", "LMTP://host:24",
        "smtp://a:25 mx", "smtp://a:25  smtp://b:25", " ".join(["smtp://a:25"] * 11),
    ],
)  # fmt: skip
def test_another_way_is_refused(text):
    with pytest.raises(ValueError, match=r'^expected "local", "mx", "refuse", or a host'):
        parse_via(text)


def test_the_hosts_of_a_way():
    assert split_via("smtp://mail.example.org:25") == (NextHost("mail.example.org", 25, False),)
    assert split_via("smtps://[2001:db8::1]:465 smtp://b.example:25") == (
        NextHost("2001:db8::1", 465, True),
        NextHost("b.example", 25, False),
    )
    assert split_via("lmtp://store.example:24 lmtp://unix:/run/lmtp") == (
        NextHost("store.example", 24, False, is_lmtp=True),
        NextSocket("/run/lmtp"),
    )
    assert split_via("mx") == ()


@pytest.mark.parametrize(
    "way", ["lmtp://store.example:25", "lmtp://192.0.2.1:25", "lmtp://[::1]:25", "lmtp://a:0025"]
)
def test_F14_LMTP_never_goes_to_port_25(way):
    for parse in (parse_via, parse_lmtp):
        with pytest.raises(ValueError, match=r"^expected another port for lmtp:// than 25"):
            parse(f"lmtp://localhost:24 {way}")
    (problem,) = complain(f'{ROUTE}via = "{way}"')
    assert "post_office.route[0].via: expected another port for lmtp:// than 25" in problem


@pytest.mark.parametrize("path", ["/", "/run/", "/a\tb", "/" + "x" * 107])
def test_F14_a_socket_has_a_path_that_the_kernel_takes(path):
    with pytest.raises(ValueError, match=r"^expected lmtp://unix: with an absolute path behind it"):
        parse_via(f"lmtp://unix:{path}")
    assert parse_via(f"lmtp://unix:/{'x' * 106}")


@pytest.mark.parametrize("text", ["", "mx", "local", "smtp://a.example:25", "lmtp://a:24 smtp://a:26"])
def test_a_way_of_LMTP_alone(text):
    with pytest.raises(ValueError, match=r"^expected a host such as \"lmtp://localhost:24\""):
        parse_lmtp(text)
    assert parse_lmtp("lmtp://A:24 lmtp://unix:/a") == "lmtp://a:24 lmtp://unix:/a"


def test_several_hosts_stand_in_an_array():
    text = f'{ROUTE}via = ["smtp://A.example:25", "smtps://b.example:465"]'
    (route,) = configure(text).post_office.route
    assert route.via == "smtp://a.example:25 smtps://b.example:465"


@pytest.mark.parametrize(
    "via", ['["mx"]', "[]", '["smtp://a.example:25", "local"]', "[25]", '"smtp://a.example:25 smtp://b:25"']
)
def test_an_array_of_something_else_is_refused(via):
    (problem,) = complain(f"{ROUTE}via = {via}")
    assert 'post_office.route[0].via: expected "local", "mx", "refuse"' in problem


LOGIN = 'user = "me"\npassword_file = "secret"\n'


@pytest.mark.parametrize(
    ("rest", "complaint"),
    [
        ('via = "smtps://a.example:465"\nuser = "me"', "user: expected user and password_file together"),
        (
            'via = "smtps://a.example:465"\npassword_file = "secret"',
            "password_file: expected user and password_file together",
        ),
        (f'{LOGIN}via = "mx"', "user: expected no user; only hosts that the route names are logged in to"),
        (
            f'{LOGIN}via = "smtp://a.example:587"\ntls = "opportunistic"',
            'tls: expected "require", or nothing: a password is never sent in the clear',
        ),
        (
            'via = "smtp://a.example:25"\nca_file = "a.pem"\ntls = "opportunistic"',
            'tls: expected "require", or nothing: ca_file says that the host is to be verified',
        ),
    ],
)
def test_G34_half_a_login_is_refused(rest, complaint):
    (problem,) = complain(f"{ROUTE}{rest}")
    assert problem.endswith(f"post_office.route[0].{complaint}")


@pytest.mark.parametrize(
    ("rest", "complaints"),
    [
        ('via = "lmtp://unix:/a"\ntls = "require"', ["tls: expected no tls; a UNIX socket needs no TLS"]),
        (
            'via = "lmtp://unix:/a"\nca_file = "a"',
            ["ca_file: expected no ca_file; a UNIX socket needs no TLS"],
        ),
        (
            f'via = ["lmtp://unix:/a", "lmtp://b.example:24"]\n{LOGIN}',
            ["user: expected no user; nobody logs in over a UNIX socket"],
        ),
        ('via = ["lmtp://unix:/a", "lmtp://b.example:24"]\ntls = "require"', []),
        (f'via = "lmtp://b.example:24"\n{LOGIN}', []),
    ],
)
def test_F14_a_socket_needs_neither_TLS_nor_a_login(rest, complaints):
    if not complaints:
        assert len(configure(f"{ROUTE}{rest}").post_office.route) == 1
        return
    (problem,) = complain(f"{ROUTE}{rest}")
    assert problem.partition("post_office.route[0].")[2] == complaints[0]


def test_routes_to_the_same_hosts_speak_with_them_in_one_way():
    other = '\n[[post_office.route]]\ndomain = "b.example"\nvia = "smtps://a.example:465"\n'
    first = f'{ROUTE}via = "smtps://a.example:465"\n{LOGIN}'
    assert configure(f"{first}{other}{LOGIN}").post_office.route[1].user == "me"
    problems = complain(f"{first}{other}")
    assert [problem.partition(": ")[2] for problem in problems] == [
        "post_office.route[1].user: expected what the route to the same hosts says on line 10",
        "post_office.route[1].password_file: expected what the route to the same hosts says on line 10",
    ]


def test_the_files_of_a_login_are_relative_to_the_configuration():
    (route,) = configure(f'{ROUTE}via = "smtps://a.example:465"\n{LOGIN}').post_office.route
    assert route.password_file is not None
    assert route.password_file.is_absolute()


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Closed", "550 5.7.1 Closed"),
        ("5.1.2 Closed since 2020", "550 5.1.2 Closed since 2020"),
    ],
)
def test_a_refusal_has_a_status(text, reply):
    assert str(parse_refusal(text)) == reply


@pytest.mark.parametrize("text", ["", " ", "5.1.2", "4.1.2 Later", "550 No", "é", "a\r\n250 b", "x" * 301])
def test_another_refusal_is_refused(text):
    with pytest.raises(ValueError, match=r"^expected a text in ASCII"):
        parse_refusal(text)


def test_a_reply_is_for_a_route_that_refuses():
    assert configure(ROUTE + 'via = "refuse"\nreply = "No"').post_office.route[0].reply is not None
    assert complain(ROUTE + 'via = "mx"\nreply = "No"') == [
        'paperpath.toml:11: post_office.route[0].reply: expected no reply; it is for via = "refuse", '
        'and this route is "mx"'
    ]
    (complaint,) = complain(ROUTE + 'via = ["smtp://a.example:25", "smtp://b.example:25"]\nreply = "No"')
    assert "post_office.route[0].reply: expected no reply" in complaint


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        (
            'separator = "a"',
            'post_office.separator: expected one of the characters + - = _ . # !, or "" for none',
        ),
        ('aliases = ""', "post_office.aliases: expected a file"),
    ],
)
def test_separator_and_aliases_are_checked(line, mistake):
    assert mistake in complain(RIGHT + line)[0]


def test_aliases_are_relative_to_the_folder_of_the_file():
    post_office = configure(RIGHT + 'aliases = "aliases"').post_office
    assert post_office.aliases is not None
    assert post_office.aliases.is_absolute()
    assert configure(RIGHT + 'aliases = "/etc/aliases"').post_office.aliases != post_office.aliases
