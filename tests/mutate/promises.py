"""The mutants of the nine promises.

P1: what is relayed stays octet for octet. P2: 250 means durable, and the books balance. P3: what belongs
together is one transaction. P4: no duplicates that could be prevented. P5: routes of now, for mail that waits
too. P6: everything has a bound. P7: closed by default. P8: each program alone. P9: everything can be
explained afterwards, and no secret is told.
"""

from tests.mutate.mutant import Mutant

_CONTRACT = "tests/contract/test_maildrop.py::test_maildrop_contract[sqlite-{}]"
_MAILDIR = (
    "tests/unit/folders/test_maildir.py::test_P2_D1_a_delivery_is_flushed_before_its_name_and_then_that"
)
_DROP = "tests/unit/maildrop/drop/test_writer.py::test_D4_a_name_that_cannot_be_flushed_is_taken_back"
_RELEASE = "UPDATE recipient SET state = 'ready', worker = NULL{} WHERE state = 'claimed' AND worker = ?"

PROMISES = (
    Mutant(
        "P1",
        "intake/reception.py",
        "self._write(octets)",
        "self._write(octets.strip())",
        "tests/unit/intake/test_reception.py::test_A44_C1_one_received_field_then_the_octets",
        "Blanks and empty lines would be lost wherever a segment happens to end.",
    ),
    Mutant(
        "P1",
        "maildrop/checked.py",
        "if digest.digest() != content.digest:",
        "if not digest.digest():",
        "tests/unit/local/test_delivery.py::test_P1_damaged_content_is_never_delivered",
        "Content that a disk has spoilt would be delivered as if it were what came in.",
    ),
    Mutant(
        "P2",
        "intake/deposit.py",
        "if isinstance(error, Exception):",
        "if isinstance(error, StorageError) and error.no_space:",
        "tests/unit/intake/test_reception.py::test_A41_D4_a_failure_is_told_at_the_end_and_nothing_is_kept",
        "250 would be said though the transaction failed.",
    ),
    Mutant(
        "P2",
        "maildrop/sqlite/settling.py",
        'return "relayed" if transport == Transport.REMOTE.value else "delivered"',
        'return "delivered"',
        _CONTRACT.format("p2_what_another_host_took_is_relayed"),
        "The books would not say who answers for a message now.",
    ),
    Mutant(
        "P2",
        "maildrop/content.py",
        "flush_directory(file.parent)",
        "pass",
        "tests/system/test_durability.py::"
        "test_D1_M4_large_content_is_flushed_with_its_name_before_the_commit",
        "Large content could lose its name with the power, after a 250.",
    ),
    Mutant(
        "P2",
        "folders/maildir.py",
        "os.fsync(descriptor)",
        "pass",
        _MAILDIR,
        "Mail that was delivered could be empty after a loss of power.",
        within="write",
    ),
    Mutant(
        "P2",
        "folders/maildir.py",
        "os.fsync(self._new)",
        "pass",
        _MAILDIR,
        "Mail that was delivered could be gone after a loss of power.",
    ),
    Mutant(
        "P2",
        "maildrop/drop/writer.py",
        "os.fsync(self._descriptor)",
        "pass",
        _DROP,
        "What mailto took could be empty after a loss of power.",
    ),
    Mutant(
        "P2",
        "maildrop/drop/writer.py",
        "os.fsync(directory)",
        "pass",
        _DROP,
        "What mailto took could be gone after a loss of power.",
    ),
    Mutant(
        "P2",
        "maildrop/sqlite/database.py",
        "flush_directory(folder.parent)",
        "pass",
        "tests/unit/maildrop/test_sqlite.py::test_P2_a_new_maildrop_does_not_lose_its_name_with_the_power",
        "All mail could be gone after a loss of power soon after the first start.",
    ),
    Mutant(
        "P3",
        "maildrop/sqlite/sorting.py",
        "insert_reports(transaction, map(_report_of, decided.values()))",
        "insert_reports(transaction, [])",
        _CONTRACT.format("p3_who_is_refused_fails_with_its_report"),
        "A recipient would fail in a transaction that has no bounce in it.",
    ),
    Mutant(
        "P4",
        "local/agents/maildir.py",
        "if claim.tried and maildir.keep(name):",
        "if not claim.tried and maildir.keep(name):",
        "tests/unit/local/test_delivery.py::test_P4_a_tried_claim_that_was_delivered_is_not_written_again",
        "Mail would come twice after a crash between its delivery and the commit.",
    ),
    Mutant(
        "P4",
        "maildrop/sqlite/workers.py",
        _RELEASE.format(", tried = 1"),
        _RELEASE.format(""),
        _CONTRACT.format("claims_of_the_dead_are_released_as_tried"),
        "Nobody would look for what a worker delivered before it died.",
    ),
    Mutant(
        "P5",
        "maildrop/sqlite/sorting.py",
        'if fetch(cursor, "SELECT epoch FROM meta") != [(epoch,)]:',
        'if fetch(cursor, "SELECT epoch FROM meta") < [(epoch,)]:',
        _CONTRACT.format("p5_a_decision_of_an_older_epoch_is_passed_over"),
        "Mail would go where the routes of before sent it.",
    ),
    Mutant(
        "P5",
        "routing/router.py",
        "if alias.key in question.expanded_via:",
        "if alias.key in question.expanded_via[1:]:",
        "tests/unit/routing/test_sorting.py::"
        "test_E10_P5_an_alias_with_itself_reaches_the_mailbox_however_often_it_is_sorted",
        "An alias would be applied to a recipient again.",
    ),
    Mutant(
        "P6",
        "smtp/server.py",
        "rest = rest[-1:]",
        "rest = rest[1:]",
        "tests/unit/smtp/test_server.py::test_P6_memory_stays_bounded_while_a_line_does_not_end",
        "A client that sends no end of line would fill the memory.",
    ),
    Mutant(
        "P6",
        "remote/windows.py",
        "return min(left, self._room) if left > 0 and left * 10 >= self._most_unproven else 0",
        "return self._room",
        "tests/unit/remote/test_windows.py::"
        "test_P6_G15_those_that_take_something_go_on_however_many_are_silent",
        "Hosts that never answer would take the places of those that do.",
    ),
    Mutant(
        "P7",
        "intake/access_rules.py",
        "return ServiceClass.NORMAL if rule is None else rule.service",
        "return ServiceClass.PRIVILEGED if rule is None else rule.service",
        "tests/unit/intake/test_access_rules.py::test_P7_nobody_is_privileged_for_having_a_private_address",
        "Whoever no rule names could relay anywhere.",
    ),
    Mutant(
        "P7",
        "smtp/entrance.py",
        "return self.encrypted or self._settings.auth_in_clear",
        "return True",
        "tests/unit/smtp/test_login.py::test_A80_in_the_clear_no_mechanism_is_offered_or_taken",
        "Passwords would be asked for where anybody can read them.",
    ),
    Mutant(
        "P8",
        "service/stalling.py",
        "same = in_time and holder == before.holder",
        "same = holder == before.holder",
        "tests/unit/service/test_stalling.py::test_P8_who_was_held_up_itself_does_not_judge",
        "A supervisor that was stopped itself would kill whoever it sees first.",
    ),
    Mutant(
        "P8",
        "service/stalling.py",
        "return sight.holder if sight.seen_s - sight.since_s >= limit_s else None",
        "return None",
        "tests/unit/service/test_stalling.py::test_P8_who_gets_nothing_done_is_stalled_when_the_time_is_over",
        "A program that was stopped with the write lock would stop all others for ever.",
    ),
    Mutant(
        "P9",
        "smtp/grammar.py",
        "_SECRETIVE = frozenset({None, Verb.AUTH})  # unknown words, and what takes a secret",
        "_SECRETIVE = frozenset({None})",
        "tests/unit/smtp/test_login.py::test_P9_L5_no_secret_is_in_what_is_told_or_shown",
        "A password would stand in the journal.",
    ),
    Mutant(
        "P9",
        "intake/recipients.py",
        "if reply.code >= 400:",
        "if reply.code >= 600:",
        "tests/unit/intake/test_session.py::test_P9_each_refused_command_is_told",
        "Nobody could find out why a recipient was refused.",
    ),
)
