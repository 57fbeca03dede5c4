"""The storm: mail under load, while a random program is killed every second."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Storm:
    wrong: tuple[str, ...]


def storm(folder: Path, messages: int, seconds: float, seed: int) -> Storm:
    return Storm(())
