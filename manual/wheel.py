"""Puts the man pages into the wheel, where they were made before: called by hatch, which builds it.

They cannot be made here, for that takes what Paperpath depends on: `make wheel` does both. A wheel that
somebody builds without them is whole otherwise.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "man"


class ManPages(BuildHookInterface):  # type: ignore[type-arg] # generic for mypy alone, in hatchling
    """The hook."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name what is to be installed beside the package, and where."""
        if version == "standard" and Path(self.root, FOLDER).is_dir():
            build_data["shared_data"][FOLDER] = f"share/{FOLDER}"
