"""SEARCH asked by a client: each key, with the messages it must find (requirement K-13)."""

from collections.abc import Iterator

import pytest

from tests.support.imap_desk import Client, open_house
from tests.support.mime import text

MESSAGES = (
    (  # 1
        r'(\Seen \Answered $Forwarded) "17-Jul-1996 02:44:25 -0700"',
        """\
From: Terry Gray <gray@cac.example>
To: Mailing List <imap@x.example>
Cc: Chris <c@x.example>
Subject: Summary of MEETING
Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
Message-ID: <one@cac.example>

Once upon a midnight dreary.
""",
    ),
    (  # 2
        r'(\Flagged \Draft) "01-Feb-2000 00:30:00 +0100"',
        """\
From: =?utf-8?q?J=C3=BCrgen?= =?utf-8?q?_M=C3=BCller?= <juergen@x.example>
To: gray@cac.example
Subject: =?iso-8859-1?Q?Gr=FC=DFe?=
 aus K=?=oeln
Date: Tue, 1 Feb 2000 23:30:00 -0500
X-Spam: yes
X-Empty:
MIME-Version: 1.0
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Die Stra=DFe ist lan=
g.
""",
    ),
    (  # 3
        r'(\Deleted Todo) "02-Feb-2000 12:00:00 +0000"',
        """\
From: "O'Hara, \\"Sam\\"" <sam@y.example>
Bcc: hidden@y.example
Subject:
Date: 2 Feb 2000 12:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=a

Preamble
--a
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+dW5kZXIgY292ZXIg4piDPC9wPg==
--a
Content-Type: message/rfc822

Subject: inner
From: within@z.example

nested text
--a--
""",
    ),
    (  # 4
        '"29-Feb-2020 23:59:59 +0000"',
        """\
From: nobody@z.example
To: undisclosed-recipients:;

%s
"""
        % ("x" * 70 + "\n")
        * 40,
    ),
    (r'(\Seen) "31-Dec-2030 23:00:00 +0000"', "Subject: just this\nDate: nonsense\n\n"),  # 5
)
UMLAUT = "Müller"
QUERIES = (
    ("ALL", "1 2 3 4 5"),
    ("1,3:4", "1 3 4"),
    ("*", "5"),
    ("4:*", "4 5"),
    ("9:*", "5"),
    ("UID 2:3", "2 3"),
    ("UID *", "5"),
    ("UID 77:88", ""),
    ("ANSWERED", "1"),
    ("UNANSWERED", "2 3 4 5"),
    ("DELETED", "3"),
    ("UNDELETED", "1 2 4 5"),
    ("DRAFT", "2"),
    ("UNDRAFT", "1 3 4 5"),
    ("FLAGGED", "2"),
    ("UNFLAGGED", "1 3 4 5"),
    ("SEEN", "1 5"),
    ("UNSEEN", "2 3 4"),
    ("KEYWORD $forwarded", "1"),
    ("KEYWORD Todo", "3"),
    ("UNKEYWORD Todo", "1 2 4 5"),
    ("KEYWORD Unheard", ""),
    ("RECENT", "1 2 3 4 5"),
    ("NEW", "2 3 4"),
    ("OLD", ""),
    ("BEFORE 17-Jul-1996", ""),
    ("BEFORE 18-Jul-1996", "1"),
    ("ON 31-Jan-2000", "2"),
    ("ON 2-Feb-2000", "3"),
    ('SINCE "29-Feb-2020"', "4 5"),
    ("SENTON 1-Feb-2000", "2"),
    ("SENTBEFORE 1-Feb-2000", "1"),
    ("SENTSINCE 2-Feb-2000", "3"),
    ("FROM gray", "1"),
    ("FROM CAC.EXAMPLE", "1"),
    ('FROM "jürgen müller"', "2"),
    ("FROM O'HARA", "3"),
    ("TO imap@x", "1"),
    ("TO gray@", "2"),
    ("TO undisclosed", "4"),
    ("CC chris", "1"),
    ("BCC hidden", "3"),
    ("SUBJECT meeting", "1"),
    ('SUBJECT "grüße aus k=?=oeln"', "2"),
    ('SUBJECT "GRÜSSE"', "2"),
    ('SUBJECT ""', "1 2 3 5"),
    ("SUBJECT inner", ""),
    ('HEADER X-SPAM ""', "2"),
    ("HEADER X-Empty x", ""),
    ('HEADER x-empty ""', "2"),
    ("HEADER Message-ID <one@", "1"),
    ("BODY midnight", "1"),
    ('BODY "straße ist lang"', "2"),
    ("BODY meeting", ""),
    ('BODY "under cover ☃"', "3"),
    ("BODY PHA+", ""),
    ('BODY "nested TEXT"', "3"),
    ("TEXT meeting", "1"),
    ("TEXT within@z", "3"),
    ("TEXT preamble", ""),
    ("LARGER 2000", "4"),
    ("SMALLER 38", ""),
    ("SMALLER 39", "5"),
    ("LARGER 0", "1 2 3 4 5"),
    ("NOT SEEN", "2 3 4"),
    ("OR FLAGGED DELETED", "2 3"),
    ("OR (SEEN ANSWERED) NOT (OR SEEN 2:3)", "1 4"),
    ("SEEN SINCE 1-Jan-2020", "5"),
    ("(((1:3))) NOT 2", "1 3"),
    ("OLDER 100", "1 2 3 4"),
    ("CHARSET US-ASCII TEXT midnight", "1"),
    (f'CHARSET utf-8 FROM "{UMLAUT}"', "2"),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with open_house(tmp_path_factory.mktemp("search")) as house:
        client = house.enter()
        for between, lines in MESSAGES:
            assert client.put("INBOX", text(lines), f"{between} ").startswith(b"t OK")
        client.ask("SELECT INBOX")
        yield client


@pytest.mark.parametrize(("key", "found"), QUERIES, ids=[key for key, _ in QUERIES])
def test_K13_what_a_search_finds(client: Client, key: str, found: str) -> None:
    expected = [f"* SEARCH {found}".rstrip().encode(), b"t OK That is all"]
    assert ask(client, f"SEARCH {key}") == expected


def test_K13_a_charset_that_is_not_known_and_a_text_that_is_not_in_it(client: Client) -> None:
    assert ask(client, "SEARCH CHARSET KOI8-R ALL")[-1].startswith(b"t NO [BADCHARSET (US-ASCII UTF-8)]")
    assert ask(client, 'SEARCH CHARSET US-ASCII FROM "ü"')[-1].startswith(b"t NO [BADCHARSET")
    assert ask(client, "SEARCH SUBJECT")[-1].startswith(b"t BAD")


def ask(client: Client, words: str) -> list[bytes]:
    """Ask, with strings that are not in ASCII as literals, as RFC 3501 has it."""
    octets = b""
    for place, piece in enumerate(words.split('"')):
        said = piece.encode()
        if place % 2 == 0:
            octets += said
        else:
            octets += b'"%s"' % said if piece.isascii() else b"{%d+}\r\n%s" % (len(said), said)
    return client.ask(octets)
