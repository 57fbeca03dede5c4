"""TLS towards other hosts: whom a connection trusts."""

from pathlib import Path

import pytest

from paperpath.remote.connection import SessionError
from paperpath.remote.route import Security
from paperpath.remote.security import ClientContexts


def test_authorities_that_cannot_be_read_are_known_before_anybody_is_contacted(tmp_path: Path):
    contexts = ClientContexts()
    with pytest.raises(SessionError) as caught:
        contexts.check(Security("require", verifies=True, ca_file=tmp_path / "missing.pem"))
    assert caught.value.reply.status == "4.7.5"


def test_nothing_need_be_read_where_nothing_is_verified(tmp_path: Path):
    ClientContexts().check(Security("opportunistic", ca_file=tmp_path / "missing.pem"))
