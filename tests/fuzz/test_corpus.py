"""Every input that the fuzzer was given or found, once more: those that broke a promise keep it now."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
CORPUS = [(path.parent.name, path) for path in sorted((HERE / "corpus").rglob("*")) if path.is_file()]
REGRESSIONS = [(path.name.partition("-")[0], path) for path in sorted((HERE / "regressions").glob("*-*"))]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_kept_input_is_answered(target: str) -> None:
    kept = [path for name, path in CORPUS + REGRESSIONS if name == target]
    assert kept
    for path in kept:
        try:
            TARGETS[target](path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path.name}: {error}") from error
