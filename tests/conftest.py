"""What holds for all tests: no time that anything takes decides one, none inherits another's umask, nor that
Ctrl-C is ignored, as by whatever a shell starts in the background.

Hypothesis ends an example that takes longer than 200 ms, and a test whose examples are drawn slowly. On a
busy machine, or where a collection of garbage falls into an example, that says nothing of the code.
"""

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("paperpath", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("paperpath")
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests: what is left for the end is short, and no worker idles."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    """Let no test inherit what a command that ran in this process has set, nor any program that it starts."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def _usual_privileges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no command that runs in this process give up for good what other tests need."""
    monkeypatch.setattr("paperpath.commands.password_input.give_up_what_nobody_needs", lambda: None)
