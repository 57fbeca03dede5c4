"""The four lines by which a mail program is set up."""

from paperpath.commands.mail_program import describe_mail_program
from paperpath.config.loader import parse_configuration
from paperpath.mail.address import Mailbox
from tests.support.installation import configuration_text, pathless

JOE = Mailbox("joe", "here.example")
SUBMISSION = '[submission]\nlisten = ["0.0.0.0:587"]\n'


def describe(more: str) -> list[str]:
    return describe_mail_program(parse_configuration(configuration_text(25) + more, pathless()), JOE)


def test_four_lines_name_tls_from_the_start_first_and_loopback_by_its_address() -> None:
    imap = '[imap]\nlisten = ["127.0.0.1:143"]\nlisten_tls = ["127.0.0.1:993"]\n'
    assert describe(SUBMISSION + imap) == [
        "incoming server IMAP 127.0.0.1 port 993 SSL/TLS",
        "outgoing server SMTP mx.here.example port 587 STARTTLS",
        "user name       joe@here.example",
        "authentication  password, over TLS; paperpath account password sets another",
    ]


def test_there_are_none_where_one_of_both_cannot_be_reached() -> None:
    assert describe(SUBMISSION) == []
    assert describe('[imap]\nlisten = ["127.0.0.1:143"]\n') == []
    assert describe('[submission]\n[imap]\nlisten = ["127.0.0.1:143"]\n') == []
