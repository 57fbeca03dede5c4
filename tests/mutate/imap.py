"""The mutants of the IMAP server: row 25 of section M, and what the promises mean for mail that is read.

Tried with those of promises.py and requirements.py.
"""

from tests.mutate.mutant import Mutant

_DIALOGUE = "tests/dialogue/test_imapd_dialogues.py::test_dialogue_with_imapd[{}]"
_FLUSHING = "tests/unit/folders/store/test_flushing.py::{}"

M25 = (
    Mutant(
        "M25",
        "folders/store/index.py",
        'self._fetch("UPDATE folder SET uid_next = uid_next + ? RETURNING uid_next", (count,))[0][0]',
        'self._fetch("UPDATE folder SET uid_next = 1 + ? + (SELECT coalesce(max(uid), 0) FROM message)'
        ' RETURNING uid_next", (count,))[0][0]',
        "tests/contract/test_mail_store.py::"
        "test_K_the_contract_is_kept[k4_uids_ascend_and_are_never_used_again]",
        "A new message would get the UID of one that was removed, and clients show the old one.",
    ),
    Mutant(
        "M25",
        "folders/store/content.py",
        "octets += len(chunk)",
        'octets += len(chunk.replace(b"\\r\\n", b"\\n"))',
        "tests/dialogue/test_imapd_structure.py::"
        "test_K14_the_parts_of_a_message_are_those_of_its_structure[nested]",
        "RFC822.SIZE would be smaller than the message that is fetched.",
    ),
    Mutant(
        "M25",
        "imap/desk/carrying_out.py",
        "return command.by_uid",
        "return True",
        _DIALOGUE.format("k6-two-sessions"),
        "Messages would lose their numbers under a client that fetches by number, and it would show others.",
    ),
    Mutant(
        "M25",
        "imap/desk/selected.py",
        "changes = self.folder.look(self.snapshot, keep_departed=not may_expunge)",
        "changes = self.folder.look(self.snapshot)",
        _DIALOGUE.format("k6-two-sessions"),
        "The same, whoever asks for it.",
    ),
)

IMAP_PROMISES = (
    Mutant(
        "P1",
        "folders/store/appending.py",
        "if has_bare_newline(octets):",
        "if False:",
        _DIALOGUE.format("k4-uids"),
        "A message with a bare CR or LF would not come back as it was put in.",
    ),
    Mutant(
        "P1",
        "folders/store/content.py",
        'return stored.replace(b"\\n", b"\\r\\n")',
        "return stored",
        _DIALOGUE.format("k9-examine"),
        "Clients would get lines that end as no mail does.",
    ),
    Mutant(
        "P2",
        "folders/store/refreshing.py",
        "with index.changing(flushed=is_news):",
        "with index.changing(flushed=False):",
        _FLUSHING.format("test_K29_uids_are_flushed_before_they_are_shown"),
        "A UID that a client knows could belong to another message after a loss of power.",
    ),
    Mutant(
        "P2",
        "folders/store/flagging.py",
        "os.fsync(access.files.cur)",
        "pass",
        _FLUSHING.format("test_K15_flags_are_flushed_before_they_are_acknowledged"),
        "Flags that a client was told of could be gone after a loss of power.",
    ),
    Mutant(
        "P2",
        "folders/store/landing.py",
        "os.fsync(cur)",
        "pass",
        _FLUSHING.format("test_K10_messages_are_flushed_with_their_names_before_APPEND_ends"),
        "A message that APPEND took could be gone after a loss of power.",
    ),
    Mutant(
        "P3",
        "imap/desk/appending.py",
        "if message.number == 1:",
        "if True:",
        _DIALOGUE.format("k10-multiappend"),
        "Of several messages that come together only the last would.",
    ),
    Mutant(
        "P6",
        "imap/turns.py",
        "while octets < MOST_OCTETS and time.monotonic() < end_s:",
        "while True:",
        "tests/unit/imap/test_turns.py::test_P6_a_turn_ends_when_it_has_given_enough",
        "A client that does not read would have everything it asked for kept in memory.",
    ),
    Mutant(
        "P7",
        "imap/entrance.py",
        "return self.encrypted or self._settings.auth_in_clear",
        "return True",
        "tests/dialogue/test_imap_dialogues.py::test_dialogue_on_the_imap_core_at_every_cut[k2-clear]",
        "Passwords would be taken where anybody can read them.",
    ),
)
