"""One page of numbers for all programs."""

import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.support.installation import Installation, find_free_port, wait_until
from tests.support.wire import Wire, stuffed

pytestmark = pytest.mark.slow


def read_page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as page:
        return str(page.read().decode())


def test_the_page_has_the_queue_and_all_programs(tmp_path: Path) -> None:
    installation = Installation(tmp_path, processes=2)
    port = find_free_port()
    text = installation.file.read_text() + f'\n[metrics]\nlisten = "127.0.0.1:{port}"\n'
    installation.file.write_text(text)
    with installation.up():
        with Wire(installation.port) as wire:
            wire.open_transaction(b"anyone@backup.example")
            wire.send(stuffed(b"Subject: waits\r\n"))
            assert wire.reply().startswith(b"250 ")
        waiting = 'paperpath_queue_recipients{program="smtppd",state="ready"} 1.0'
        wait_until(lambda: waiting in read_page(port), "the recipient to be counted")
        page = read_page(port)
        up = re.findall(r'^paperpath_up{program="(.*)"} 1\.0$', page, re.MULTILINE)
        assert up == ["metricsd", "paperpath", "smtpld", "smtppd", "smtprcd", "smtprd.1", "smtprd.2"]
        assert 'paperpath_recipients_total{outcome="accepted",program="smtppd"} 1.0' in page
        installation.kill("smtppd")
        restarted = 'paperpath_child_restarts_total{child="smtppd",program="paperpath"} 1.0'
        wait_until(lambda: restarted in read_page(port), "the restart to be counted")
    with pytest.raises(urllib.error.URLError):
        read_page(port)
