"""The helper that delivers to users, in this process: what a reload changes of it (F-4)."""

import asyncio
from pathlib import Path

import pytest

from paperpath.config.loader import parse_document
from paperpath.config.user_place import SpoolFolder
from paperpath.local import smtplud
from paperpath.local.users.child import Rules
from paperpath.local.users.deliveries import Limits, UserDeliveries
from paperpath.service.log import open_log
from paperpath.service.program import Life

CONFIGURATION = """\
hostname = "mx.here.example"
data = "{data}"
[relay]
listen = ["127.0.0.1:2525"]
[post_office]
postmaster = "admin@here.example"
"""
CHANGED = """\
[local]
create = true
system_first_uid = 5000
system_deliver = "/var/mail/{user}"
system_limit_s = 7
"""


def test_F4_who_is_a_user_and_where_mail_goes_is_what_the_last_reload_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[tuple[Rules, Limits]] = []
    monkeypatch.setattr(UserDeliveries, "renew", lambda _, *told: renewed.append(told))
    before = CONFIGURATION.replace("{data}", str(tmp_path))
    file = tmp_path / "paperpath.toml"
    life = Life(smtplud.NAME, parse_document(before, file), open_log(smtplud.NAME))

    async def run() -> None:
        ready = asyncio.Event()
        monkeypatch.setattr(life, "ready", lambda _: ready.set())
        serving = asyncio.create_task(smtplud.deliver_to_users(life))
        await ready.wait()
        await life.reload(parse_document(before + CHANGED, file))
        life.end()
        await serving

    asyncio.run(run())
    ((rules, limits),) = renewed
    assert (rules.users.first_uid, rules.place, rules.create) == (5000, SpoolFolder(Path("/var/mail")), True)
    assert limits.delivery_s == 7
