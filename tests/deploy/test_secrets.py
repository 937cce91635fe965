import shutil
import stat
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the script, so that its secrets lie here."""
    shutil.copy(DEPLOY / "make-secrets", tmp_path)
    return tmp_path


def make(folder: Path) -> dict[str, str]:
    subprocess.run([str(folder / "make-secrets")], check=True, timeout=30)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_secrets_are_made_once_and_fit_together(folder: Path) -> None:
    first = make(folder)

    assert make(folder) == first
    assert first["worker_database_url"] == f"postgresql://worker:{first['worker_password']}@postgres:5432/monitor"
    assert first["postgres_password"] not in first["worker_database_url"]
    assert len(set(first.values())) == len(first)


def test_nobody_else_may_look_into_the_folder(folder: Path) -> None:
    make(folder)

    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
