"""Who else can read a key is told: not of the group to which a machine's root hands a service's secret."""

import os
from pathlib import Path

import pytest

from monitor.audit.proof.keyfile import open_to_others

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.mark.parametrize(("mode", "told"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_key_of_ones_own_is_for_oneself_alone(tmp_path: Path, mode: int, told: bool) -> None:
    key = tmp_path / "key"
    key.touch()
    key.chmod(mode)
    assert open_to_others(key) is told


@ROOT
@pytest.mark.parametrize(("mode", "told"), [(0o440, False), (0o444, True), (0o460, True)])
def test_a_key_that_was_handed_over_is_for_ones_group(tmp_path: Path, mode: int, told: bool) -> None:
    key = tmp_path / "key"
    key.touch()
    os.chown(key, 12345, -1)
    key.chmod(mode)
    assert open_to_others(key) is told
