import os
import re
from pathlib import Path

import pytest
import yaml

from monitor.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
UNIT = (ROOT / "deploy/systemd/safety-monitor.service").read_text()


def test_the_image_runs_without_root_and_says_whether_it_lives() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]

    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last_stage, re.MULTILINE)
    assert "HEALTHCHECK" in last_stage
    assert "/livez" in last_stage


def test_the_image_installs_only_what_is_locked() -> None:
    installs = re.findall(r"pip install (.+)$", DOCKERFILE, re.MULTILINE)

    assert installs == ["--require-hashes -r /src/requirements.txt", "--no-deps --no-build-isolation /src"]


def test_everything_that_the_image_copies_gets_into_its_context() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}

    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_the_unit_sets_only_what_the_monitor_reads_and_gives_it_time_to_stop() -> None:
    fields = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}SETTINGS", f"{PREFIX}SECRETS_DIR"}
    match = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)

    assert set(re.findall(r"^Environment=(\w+)=", UNIT, re.MULTILINE)) <= fields
    assert match is not None
    assert int(match[1]) > Settings.model_fields["shutdown_grace"].default


def test_unit_and_compose_file_give_the_memory_that_the_limits_are_made_for() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    page = (ROOT / "docs/operations.md").read_text()

    assert compose["services"]["worker"]["mem_limit"] == "512m"
    assert re.search(r"^MemoryHigh=512M$", UNIT, re.MULTILINE)
    assert "The defaults hold in 512 MB" in page


def test_every_limit_of_the_page_is_a_setting_with_that_default() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    table = re.findall(r"^\| [^|]+ \| `([A-Z_]+)` \| ([\d,]+)( [KM]iB)? \|", page, re.MULTILINE)
    units = {"": 1, " KiB": 1024, " MiB": 1024**2}

    assert len(table) >= 9
    for name, number, unit in table:
        assert Settings.model_fields[name.lower()].default == int(number.replace(",", "")) * units[unit]


@pytest.mark.parametrize("script", ["deploy/make-secrets", "deploy/apply-roles", ".ci/run"])
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
