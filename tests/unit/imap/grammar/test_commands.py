"""Commands of each kind as values, and what is refused: by the grammar, or because it is not carried out."""

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperpath.imap import commands
from paperpath.imap.commands import ListReturn, ListSelection, SearchReturn, StatusItem, StoreMode
from paperpath.imap.dialect import Dialect
from paperpath.imap.extensions import Extension
from paperpath.imap.fault import Fault
from paperpath.imap.fetch_items import (
    Attribute,
    BinarySection,
    BinarySize,
    BodySection,
    Partial,
    Preview,
    Section,
    SectionText,
    response_name,
    sets_seen,
)
from paperpath.imap.grammar.append import MessageHead, parse_message_head
from paperpath.imap.grammar.commands import parse_command
from paperpath.imap.grammar.dates import parse_date_time
from paperpath.imap.scanner import Scanner
from paperpath.imap.search_keys import (
    MOST_CONTENT_KEYS,
    MOST_DEPTH,
    MOST_KEYS,
    AgeKey,
    AllKey,
    AndKey,
    BodyKey,
    DateKey,
    DateOf,
    EmailIdKey,
    FlagKey,
    HeaderKey,
    ModSeqKey,
    NotKey,
    NumberKey,
    OrKey,
    SaveDateSupportedKey,
    SizeKey,
    SortCriterion,
    SortKey,
    TextKey,
    ThreadAlgorithm,
    ThreadIdKey,
    UidKey,
    When,
)
from paperpath.imap.sets import SAVED_RESULT, STAR, SequenceSet
from paperpath.imap.verbs import Verb

ONE = SequenceSet(((1, 1),))
SEEN = FlagKey("\\Seen")
DAY = dt.date(2020, 2, 1)


def read(text: str, *literals: bytes, without: tuple[Extension, ...] = (), on: tuple[Extension, ...] = ()):
    """Read a command without its tag."""
    name, _, rest = text.partition(" ")
    by_uid = name == "UID"
    if by_uid:
        name, _, rest = rest.partition(" ")
    dialect = Dialect(frozenset(Extension) - set(without))
    dialect.enable(on)
    words = Scanner(f" {rest}".encode() if rest else b"", literals)
    return parse_command(Verb(name), words, dialect, by_uid=by_uid)


def refuse(text: str, **how: tuple[Extension, ...]) -> str:
    """Read what must be refused; return the condition and the code."""
    with pytest.raises(Fault) as caught:
        read(text, **how)
    completion = caught.value.completion
    return f"{completion.condition.value} {completion.code}".rstrip()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ALL", AllKey()),
        ("1,3:*", NumberKey(SequenceSet(((1, 1), (3, STAR))))),
        ("$", NumberKey(SAVED_RESULT)),
        ("uid $", UidKey(SAVED_RESULT)),
        ("UID 1", UidKey(ONE)),
        ("seen UNSEEN", AndKey((SEEN, FlagKey("\\Seen", is_set=False)))),
        ("NEW", AndKey((FlagKey("\\Recent"), FlagKey("\\Seen", is_set=False)))),
        ("OLD", FlagKey("\\Recent", is_set=False)),
        ("KEYWORD $Junk", FlagKey("$Junk")),
        ("UNKEYWORD x", FlagKey("x", is_set=False)),
        ("FROM joe", HeaderKey("From", "joe")),
        ('SUBJECT "a \\"b\\""', HeaderKey("Subject", 'a "b"')),
        ('HEADER X-Foo ""', HeaderKey("X-Foo", "")),
        ("BODY x", BodyKey("x")),
        ("TEXT ü]".replace("ü", "u"), TextKey("u]")),
        ("BEFORE 1-Feb-2020", DateKey(DateOf.INTERNAL, When.BEFORE, DAY)),
        ('SENTON "01-feb-2020"', DateKey(DateOf.SENT, When.ON, DAY)),
        ("SAVEDSINCE 1-FEB-2020", DateKey(DateOf.SAVED, When.SINCE, DAY)),
        ("SAVEDATESUPPORTED", SaveDateSupportedKey()),
        ("LARGER 9", SizeKey(9, larger=True)),
        ("SMALLER 0", SizeKey(0, larger=False)),
        ("YOUNGER 60", AgeKey(60, younger=True)),
        ("OLDER 60", AgeKey(60, younger=False)),
        ("MODSEQ 7", ModSeqKey(7)),
        ('MODSEQ "/flags/\\\\draft" shared 7', ModSeqKey(7)),
        ("EMAILID M1", EmailIdKey("M1")),
        ("THREADID T-1", ThreadIdKey("T-1")),
        ("NOT SEEN", NotKey(SEEN)),
        ("OR SEEN ALL", OrKey(SEEN, AllKey())),
        ("(SEEN (ALL))", AndKey((SEEN, AllKey()))),
        ("(SEEN) ALL", AndKey((SEEN, AllKey()))),
    ],
)
def test_K13_search_keys(text, key):
    assert read(f"SEARCH {text}") == commands.Search(key)


@pytest.mark.parametrize(
    "text",
    [
        "", "FOO", "SEEN  ALL", "SEEN ", "()", "(SEEN", "SEEN)", "NOT", "OR SEEN", "FROM",
        "BEFORE 30-Feb-2020",
        "BEFORE 2020-02-01", "BEFORE 1-Foo-2020", "LARGER x", "LARGER -1", "OLDER 0", "UID", "UID x", "0",
        "KEYWORD \\Seen",
        "EMAILID a.b", "MODSEQ", "MODSEQ x", 'MODSEQ "x" some 1', "RETURN MIN ALL", "RETURN (FOO) ALL",
        "RETURN (MIN)",
        'FROM "a', "LARGER 99999999999999999999", "CHARSET UTF-8", "BEFORE 1-Feb-0000",
    ],
)  # fmt: skip
def test_K13_what_is_no_search(text):
    assert refuse(f"SEARCH {text}".rstrip("\n")) == "BAD"


def test_K13_charsets():
    assert read("SEARCH CHARSET utf-8 FROM {2}\r\n", "ü".encode()).key == HeaderKey("From", "ü")
    assert refuse("SEARCH CHARSET KOI8-R ALL") == "NO BADCHARSET (US-ASCII UTF-8)"
    assert refuse('SEARCH CHARSET US-ASCII FROM "ü"') == "NO BADCHARSET (US-ASCII UTF-8)"
    assert refuse("SEARCH CHARSET UTF-8 ALL", on=(Extension.UTF8_ACCEPT,)) == "BAD"


def test_K25_what_search_returns():
    assert read("SEARCH RETURN () ALL").returns == {SearchReturn.ALL}
    assert read("UID SEARCH RETURN (MIN COUNT min SAVE) ALL") == commands.Search(
        AllKey(), frozenset({SearchReturn.MIN, SearchReturn.COUNT, SearchReturn.SAVE}), by_uid=True
    )
    assert read("SEARCH ALL", on=(Extension.REV2,)).returns == {SearchReturn.ALL}


@pytest.mark.parametrize(
    ("before", "behind"), [("(", ")"), ("NOT ", ""), ("OR ALL ", ""), ("OR (NOT ", ") ALL")]
)
def test_K13_a_tree_of_keys_is_bounded_in_depth(before, behind):
    times = (MOST_DEPTH - 1) // (3 if behind.startswith(") ") else 1)
    read(f"SEARCH {before * times}SEEN{behind * times}")
    assert refuse(f"SEARCH {before * 10_000}SEEN{behind * 10_000}") == "BAD LIMIT"


def test_K13_a_tree_of_keys_is_bounded_in_number():
    assert len(read(f"SEARCH{' ALL' * MOST_KEYS}").key.keys) == MOST_KEYS
    assert refuse(f"SEARCH{' ALL' * (MOST_KEYS + 1)}") == "BAD LIMIT"


def test_K13_so_many_keys_may_read_every_message_and_no_more():
    pairs = " OR TEXT x NOT BODY y" * (MOST_CONTENT_KEYS // 2)
    assert len(read(f"SEARCH{pairs} SUBJECT z").key.keys) == MOST_CONTENT_KEYS // 2 + 1
    for command in ("SEARCH", "UID SEARCH", "SORT (DATE) UTF-8", "THREAD REFERENCES UTF-8"):
        assert refuse(f"{command}{pairs} (SEEN BODY z)") == "NO LIMIT"
    saving = read(f"SEARCH RETURN (SAVE){pairs} TEXT z")  # RFC 5182 §2.1: then nothing is saved
    assert saving.refusal.code == "LIMIT"


def test_K13_sort_and_thread():
    assert read("UID SORT (REVERSE date SUBJECT) utf-8 ALL") == commands.Sort(
        (SortCriterion(SortKey.DATE, reverse=True), SortCriterion(SortKey.SUBJECT)), AllKey(), by_uid=True
    )
    assert read("THREAD references US-ASCII SEEN") == commands.Thread(ThreadAlgorithm.REFERENCES, SEEN)
    for wrong in ("SORT () UTF-8 ALL", "SORT (FOO) UTF-8 ALL", "SORT (DATE) ALL", "THREAD FOO UTF-8 ALL"):
        assert refuse(wrong)[:2] in {"BA", "NO"}
    assert refuse("THREAD REFERENCES UTF-8 ALL", without=(Extension.THREAD_REFERENCES,)) == "BAD"


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("FLAGS", (Attribute.FLAGS,)),
        ("(flags uid FLAGS)", (Attribute.FLAGS, Attribute.UID)),
        ("full", (Attribute.FLAGS, Attribute.INTERNALDATE, Attribute.SIZE, Attribute.ENVELOPE,
        Attribute.BODY)),
        ("(BODY BODYSTRUCTURE RFC822.SIZE)", (Attribute.BODY, Attribute.BODYSTRUCTURE, Attribute.SIZE)),
        ("BODY[]", (BodySection(Section()),)),
        ("BODY.PEEK[]<0.10>", (BodySection(Section(), Partial(0, 10), peek=True),)),
        ("BODY[HEADER]", (BodySection(Section((), SectionText.HEADER)),)),
        ("BODY[1]", (BodySection(Section((1,))),)),
        ("BODY[1.2.mime]", (BodySection(Section((1, 2), SectionText.MIME)),)),
        ("BODY[3.header.fields.not (From \"To\")]",
         (BodySection(Section((3,), SectionText.FIELDS_NOT, ("From", "To"))),)),
        ("RFC822.HEADER", (Attribute.RFC822_HEADER,)),
        ("BINARY.PEEK[1.2]<5.6>", (BinarySection((1, 2), Partial(5, 6), peek=True),)),
        ("(BINARY[] BINARY.SIZE[1])", (BinarySection(()), BinarySize((1,)))),
        ("(PREVIEW (lazy) PREVIEW)", (Preview(lazy=True), Preview())),
        ("(EMAILID THREADID SAVEDATE MODSEQ)",
         (Attribute.EMAILID, Attribute.THREADID, Attribute.SAVEDATE, Attribute.MODSEQ)),
    ],
)  # fmt: skip
def test_K14_fetch_items(text, items):
    assert read(f"FETCH 1 {text}") == commands.Fetch(ONE, items)


@pytest.mark.parametrize(
    "text",
    [
        "", "()", "FOO", "(ALL)", "(FLAGS", "FLAGS UID", "BODY[", "BODY[FOO]", "BODY[MIME]", "BODY[1.]",
        "BODY[0]",
        "BODY[1.0]", "BODY[1 MIME]", "BODY[HEADER.FIELDS]", "BODY[HEADER.FIELDS ()]",
        'BODY[HEADER.FIELDS ("a b")]',
        "BODY[TEXT (From)]", "BODY[]<0>", "BODY[]<0.0>", "BODY[]<-1.5>", "BODY[]<0.5", "BODY.FOO[]",
        "FLAGS[]",
        "BINARY[TEXT]", "FLAGS (FOO 1)", "FLAGS (CHANGEDSINCE 0)", "FLAGS (CHANGEDSINCE)", "PREVIEW (EAGER)",
        "BODY[" + "1." * 200 + "1]", "FLAGS (CHANGEDSINCE 1 VANISHED)", "FLAGS ()",
    ],
)  # fmt: skip
def test_K14_what_is_no_fetch(text):
    assert refuse(f"FETCH 1 {text}") == "BAD"


def test_K15_K23_K24_what_fetch_gives_beside_what_was_asked_for():
    fetched = read("UID FETCH $ FLAGS (CHANGEDSINCE 5 VANISHED)", on=(Extension.QRESYNC,))
    items = (Attribute.UID, Attribute.FLAGS, Attribute.MODSEQ)
    assert fetched == commands.Fetch(SAVED_RESULT, items, True, 5, True)


def test_K14_how_items_are_named_in_a_response_and_which_set_seen():
    names = {
        "BODY.PEEK[1.header.fields (From X_Y)]<5.6>": 'BODY[1.HEADER.FIELDS (From "X_Y")]<5>',
        "BODY[]": "BODY[]",
        "BINARY[1.2]<0.9>": "BINARY[1.2]<0>",
        "BINARY.SIZE[2]": "BINARY.SIZE[2]",
        "RFC822.TEXT": "RFC822.TEXT",
        "PREVIEW (LAZY)": "PREVIEW",
    }
    seen = {"BODY[]", "BINARY[1.2]<0.9>", "RFC822.TEXT"}
    for text, name in names.items():
        (item,) = read(f"FETCH 1 {text}").items
        assert response_name(item) == name
        assert sets_seen(item) is (text in seen)


def test_K15_store():
    assert read("UID STORE 1 +flags.silent (\\seen $Junk \\SEEN)") == commands.Store(
        ONE, StoreMode.ADD, ("\\Seen", "$Junk"), silent=True, by_uid=True
    )
    assert read("STORE 1 (UNCHANGEDSINCE 0) -FLAGS x y") == commands.Store(
        ONE, StoreMode.REMOVE, ("x", "y"), unchanged_since=0
    )
    assert read("STORE 1 FLAGS ()") == commands.Store(ONE, StoreMode.REPLACE, ())
    for wrong in (
        "1 FLAGS",
        "1 FOO (x)",
        "1 FLAGS (\\Recent)",
        "1 FLAGS (\\Foo)",
        "1 (FOO 1) FLAGS x",
        "FLAGS x",
    ):
        assert refuse(f"STORE {wrong}") == "BAD"


def test_K10_K18_K19_copy_move_and_expunge():
    assert read("COPY 1 inbox") == commands.Copy(ONE, "INBOX")
    assert read("UID MOVE $ Trash") == commands.Move(SAVED_RESULT, "Trash", by_uid=True)
    assert read("EXPUNGE") == commands.Expunge()
    assert read("UID EXPUNGE 1") == commands.Expunge(ONE)
    assert refuse("UID EXPUNGE 1", without=(Extension.UIDPLUS,)) == "BAD"
    assert refuse("COPY $ x", without=(Extension.SEARCHRES,)) == "BAD"


def test_K12_K21_K26_list():
    assert read('LIST "" ""') == commands.List("", ("",))
    assert read("LIST a/ %.*") == commands.List("a/", ("%.*",))
    assert read("LSUB {0}\r\n *", b"") == commands.ListSubscribed("", "*")
    text = 'LIST (SUBSCRIBED recursivematch) "" (a "b c") RETURN (CHILDREN STATUS (SIZE SIZE UNSEEN))'
    assert read(text) == commands.List(
        "",
        ("a", "b c"),
        frozenset({ListSelection.SUBSCRIBED, ListSelection.RECURSIVE_MATCH}),
        frozenset({ListReturn.CHILDREN}),
        (StatusItem.SIZE, StatusItem.UNSEEN),
        extended=True,
    )
    assert read('LIST () "" x RETURN ()') == commands.List("", ("x",), extended=True)
    wrong = (
        '(RECURSIVEMATCH) "" %',
        '(REMOTE RECURSIVEMATCH) "" %',
        '(FOO) "" %',
        '"" % RETURN (FOO)',
        '"" ()',
    )
    for text in wrong:
        assert refuse(f"LIST {text}") == "BAD"


@pytest.mark.parametrize(
    ("text", "extension"),
    [
        ('LIST () "" x', Extension.LIST_EXTENDED),
        ('LIST (SPECIAL-USE) "" x', Extension.SPECIAL_USE),
        ('LIST "" x RETURN (STATUS (UNSEEN))', Extension.LIST_STATUS),
        ("STATUS x (SIZE)", Extension.STATUS_SIZE),
        ("STATUS x (HIGHESTMODSEQ)", Extension.CONDSTORE),
        ("STATUS x (MAILBOXID)", Extension.OBJECTID),
        ("CREATE x (USE (\\Sent))", Extension.CREATE_SPECIAL_USE),
        ("SELECT x (CONDSTORE)", Extension.CONDSTORE),
        ("SEARCH RETURN (MIN) ALL", Extension.ESEARCH),
        ("SEARCH RETURN (SAVE) ALL", Extension.SEARCHRES),
        ("SEARCH OLDER 5", Extension.WITHIN),
        ("SEARCH MODSEQ 5", Extension.CONDSTORE),
        ("SEARCH EMAILID 5", Extension.OBJECTID),
        ("SEARCH SAVEDON 1-Feb-2020", Extension.SAVEDATE),
        ("FETCH 1 BINARY[1]", Extension.BINARY),
        ("FETCH 1 PREVIEW", Extension.PREVIEW),
        ("FETCH 1 SAVEDATE", Extension.SAVEDATE),
        ("FETCH 1 EMAILID", Extension.OBJECTID),
        ("FETCH 1 FLAGS (CHANGEDSINCE 1)", Extension.CONDSTORE),
        ("STORE 1 (UNCHANGEDSINCE 1) FLAGS x", Extension.CONDSTORE),
    ],
)
def test_K22_what_is_not_carried_out_is_not_known(text, extension):
    gone = (extension, Extension.REV2) if extension is Extension.LIST_EXTENDED else (extension,)
    read(text)
    assert refuse(text, without=gone) == "BAD"


def test_K24_quick_resynchronization():
    on = (Extension.QRESYNC,)
    assert refuse("SELECT x (QRESYNC (1 2))") == "BAD"
    assert read("SELECT x (QRESYNC (1 2))", on=on).resync == commands.QuickResync(1, 2)
    assert read("SELECT x (QRESYNC (1 2 1))", on=on).resync == commands.QuickResync(1, 2, ONE)
    assert read("SELECT x (QRESYNC (1 2 (1 1)))", on=on).resync == commands.QuickResync(
        1, 2, None, (ONE, ONE)
    )
    for wrong in ("(1)", "(0 1)", "(1 0)", "(1 2 x)", "(1 2 1 (1))", "1 2", "(1 2 $)"):
        assert refuse(f"SELECT x (QRESYNC {wrong})", on=on) == "BAD"


def test_K27_a_message_that_may_hold_NUL_needs_BINARY():
    words = b" (\\Seen) ~{5}\r\n"
    head = parse_message_head(Scanner(words), Dialect(frozenset({Extension.BINARY})))
    assert head == MessageHead(5, ("\\Seen",), None, binary=True, wrapped=False)
    with pytest.raises(Fault):
        parse_message_head(Scanner(words), Dialect(frozenset()))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('" 1-Jan-1970 00:00:00 +0000"', 0),
        ('"17-Jul-1996 02:44:25 -0700"', 837596665),
        ('"1-Jan-1970 01:00:60 +0100"', 59),
        ('"31-Dec-1969 23:59:59 +0000"', -1),
    ],
)
def test_K10_internal_dates(text, seconds):
    assert parse_date_time(Scanner(text.encode())) == seconds * 1_000_000


@pytest.mark.parametrize(
    "text", ["1-Jan-1970", "32-Jan-1970 00:00:00 +0000", "1-Jan-1970 24:00:00 +0000", ""]
)
def test_K10_what_is_no_internal_date(text):
    with pytest.raises(Fault):
        parse_date_time(Scanner(f'"{text}"'.encode()))


WORDS = st.sampled_from(
    [
        "SEARCH", "RETURN", "CHARSET", "UTF-8", "FROM", "SENTON", "1-Feb-2020", "MODSEQ", "5", "OR",
        "NOT", "UID",
        "1:*", "$", "FLAGS", "BODY", "BODY.PEEK[", "]", "<0.5>",
        "HEADER.FIELDS", "PREVIEW", "(LAZY)", "(", ")", '"x"', "+", "-", "%", "*", "\\Seen", "STATUS",
        "{1}\r\n",
    ]
)  # fmt: skip


@given(st.sampled_from(list(Verb)), st.lists(WORDS), st.sampled_from(["", " "]))
def test_K30_whatever_stands_behind_a_verb_it_is_a_command_or_is_refused(verb, words, between):
    if verb in {
        Verb.CAPABILITY,
        Verb.ID,
        Verb.LOGOUT,
        Verb.STARTTLS,
        Verb.LOGIN,
        Verb.AUTHENTICATE,
        Verb.APPEND,
    }:
        return
    scanner = Scanner((" " + between.join(words)).encode(), [b"x"] * len(words))
    with suppress(Fault):
        command = parse_command(verb, scanner, Dialect(frozenset(Extension)), by_uid=False)
        assert isinstance(command, commands.Command)
        assert hash(command) == hash(command)
