"""[imap]: how long a client may be silent (requirement K-7)."""

import pytest
from pydantic import ValidationError

from paperpath.config.imap_table import ImapTable

LISTEN = {"listen_tls": ["127.0.0.1:993"]}


def test_K7_nobody_is_logged_out_before_thirty_minutes_have_passed() -> None:
    assert ImapTable.model_validate(LISTEN).idle_timeout_s >= 1800
    assert ImapTable.model_validate({**LISTEN, "idle_timeout_s": 1800.0}).idle_timeout_s == 1800
    with pytest.raises(ValidationError, match="idle_timeout_s"):
        ImapTable.model_validate({**LISTEN, "idle_timeout_s": 1799.0})
