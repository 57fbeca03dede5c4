"""People hand in their mail to the real smtpsd, in every way there is (requirements B.1, A.10, X-8)."""

from collections.abc import Iterator

import pytest

from tests.support.submission import Submission

pytestmark = pytest.mark.slow

MESSAGE = "Subject: first\r\n\r\nHello!\r\n"


@pytest.fixture(scope="module")
def submission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submission]:
    submission = Submission(tmp_path_factory.mktemp("submission"))
    with submission.up():
        yield submission


def test_A80_who_logs_in_over_starttls_sends(submission: Submission) -> None:
    with submission.connect() as client:
        client.sendmail("joe@here.example", ["u@here.example"], MESSAGE)
    (message,) = submission.take()
    assert b"\nSubject: first\n" in message, message
    assert b"with ESMTPSA id " in message
