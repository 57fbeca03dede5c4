import pytest

from tests.unit.config.example import RIGHT, complain, configure

LOCAL_ROUTE = '[[post_office.route]]\nvia = "local"\ndomain = "{}"\n'


def route(*domains: str) -> str:
    return RIGHT + "".join(map(LOCAL_ROUTE.format, domains))


def test_a_domain_routed_twice_is_refused_with_the_line_of_the_first():
    assert complain(route("example.org", "*", "EXAMPLE.org.", "example.org")) == [
        "paperpath.toml:16: post_office.route[2].domain: expected one route for each domain;"
        ' "example.org" has one on line 10',
        "paperpath.toml:19: post_office.route[3].domain: expected one route for each domain;"
        ' "example.org" has one on line 10',
    ]


def test_a_domain_and_its_subdomains_and_all_domains_are_three():
    assert len(configure(route("example.org", ".example.org", "*")).post_office.route) == 3


@pytest.mark.parametrize(
    "entry",
    [
        "route = 5",
        "route = [5, 5]",
        "route = [{domain = 5}, {domain = 5}]",
        'route = [{domain = ""}, {domain = ""}]',
    ],
)
def test_what_is_no_domain_is_not_called_repeated(entry):
    assert "one route" not in "".join(complain(RIGHT + entry))


@pytest.mark.parametrize(
    ("maildrop", "root", "place"),
    [
        ("sqlite:mail", "mail", "5: local.root"),
        ("sqlite:mail", "./mail/", "5: local.root"),
        ("sqlite:mail/queue", "mail", "5: local.root"),
        ("sqlite:mail", "mail/boxes", "5: local.root"),
        (None, "maildrop", "4: local.root"),
        ("sqlite:mailboxes", None, "2: maildrop"),
    ],
)
def test_the_maildrop_and_the_mailboxes_do_not_share_a_folder(maildrop, root, place):
    lines = ['hostname = "a.b"', 'data = "x"', "relay.listen = ['[::1]:25']"]
    if maildrop:
        lines.insert(1, f'maildrop = "{maildrop}"')
    if root:
        lines.append(f'local.root = "{root}"')
    lines.append("post_office.postmaster = 'a@b.test'")
    [message] = complain("\n".join(lines))
    assert message.startswith(f"paperpath.toml:{place}: expected two folders apart; the maildrop is in")


def test_folders_side_by_side_are_taken():
    top = 'maildrop = "sqlite:mail/queue"\nlocal.root = "mail/queues"\n'
    assert configure(top + RIGHT).mailbox_root.name == "queues"


@pytest.mark.parametrize(
    "top", ["maildrop = 5\n", 'maildrop = "mailboxes"\n', "local.root = 5\n", "local = 5\n"]
)
def test_what_names_no_folder_is_not_called_shared(top):
    assert "apart" not in "".join(complain(top + RIGHT))


@pytest.mark.parametrize("more", ["", "listen = []\nlisten_tls = []\n"])
def test_submission_that_nobody_could_reach_is_refused(more):
    (shown,) = complain(f"{RIGHT}[submission]\nlisten_local = false\n{more}")
    assert shown.startswith("paperpath.toml:9: submission.listen_local: expected at least one of listen,")


@pytest.mark.parametrize(
    "more", ["", "listen_local = false\nlisten = ['127.0.0.1:587']\n", "listen_tls = ['127.0.0.1:465']\n"]
)
def test_submission_has_one_way_in_at_least(more):
    assert configure(f"{RIGHT}[submission]\n{more}").submission is not None


@pytest.mark.parametrize(
    ("table", "key"),
    [("relay", "listen_proxy"), ("submission", "listen_proxy"), ("submission", "listen_tls_proxy")],
)
@pytest.mark.parametrize("more", ["", "proxies = []\n"])
def test_A99_listeners_for_proxies_are_refused_where_none_is_named(table, key, more):
    text = f"{RIGHT}[submission]\n" if table == "submission" else RIGHT
    asked = text.replace(f"[{table}]\n", f'[{table}]\n{more}{key} = ["127.0.0.1:2626"]\n')
    (shown,) = complain(asked)
    assert shown.endswith(f"{table}.{key}: expected the networks of the proxies in proxies too")
    configure(asked.replace(more or f"{key} =", f'proxies = ["192.0.2.7"]\n{"" if more else f"{key} ="}', 1))
