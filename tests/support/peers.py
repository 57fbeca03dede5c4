"""What a test needs and a machine may lack: there the test is skipped, and in CI it is red."""

import os
import shutil
from typing import NoReturn

import pytest


def find_peer(name: str) -> str:
    """Return the path of another project's program; skip the test where it is absent, and in CI fail."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")
    if path is None:
        skip_or_fail(f"{name} is not installed")
    return path


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test, and in CI fail."""
    if os.environ.get("PAPERPATH_INTEROP") == "required":
        pytest.fail(reason)
    pytest.skip(reason)
