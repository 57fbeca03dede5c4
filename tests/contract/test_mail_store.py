"""One suite over every mail store."""

import itertools
from pathlib import Path, PurePosixPath

import pytest

from paperpath.folders.maildir import Maildir, Place, create_maildir, to_stored_lines
from paperpath.folders.store.tree import MaildirStore
from paperpath.testing.mail_store_suite import CHECKS, Check

BOX = PurePosixPath("joe")


class MaildirEngine:
    def __init__(self, root: Path) -> None:
        create_maildir(root, BOX)
        self.store = MaildirStore(root, BOX)
        self._root = root
        self._numbers = itertools.count(1)

    def deliver(self, octets: bytes) -> None:
        with Maildir(self._root, Place(BOX)) as maildir:
            maildir.write(f"1700000000.M1R{next(self._numbers)}.host", to_stored_lines([octets]))
            maildir.flush()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_K_the_contract_is_kept(check: Check, tmp_path: Path) -> None:
    check(MaildirEngine(tmp_path))
