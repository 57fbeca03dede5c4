"""Every input that was ever of interest to the fuzzer, once more; without atheris."""

import importlib

import pytest

from tests.fuzz.targets import MOST_KEPT, MOST_KEPT_OCTETS, TARGETS, corpus


@pytest.mark.parametrize("name", TARGETS)
def test_S11_the_kept_inputs_break_no_invariant(name: str) -> None:
    target = importlib.import_module(f"tests.fuzz.fuzz_{name}")
    files = sorted(corpus(name).iterdir())
    assert files
    for file in files:
        try:
            target.check(file.read_bytes())
        except Exception as error:
            raise AssertionError(f"{file} breaks: {target.__doc__}") from error


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpora_are_small(name: str) -> None:
    files = list(corpus(name).iterdir())
    assert len(files) <= MOST_KEPT
    assert max(file.stat().st_size for file in files) <= MOST_KEPT_OCTETS
