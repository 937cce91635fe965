import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from monitor.cli import commands
from monitor.cli.main import main
from monitor.errors import MonitorError, UsageError
from monitor.events.parse import MAX_READ


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `fail` the only command; it raises what it is given."""

    def install(error: BaseException) -> None:
        def fail() -> None:
            raise error

        module = ModuleType("stand_in")
        monkeypatch.setattr(module, "fail", fail, raising=False)
        monkeypatch.setitem(sys.modules, "stand_in", module)
        monkeypatch.setattr(commands, "COMMANDS", {"fail": "stand_in:fail"})

    return install


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such file"), 2),
        (MonitorError("the database\ndid not answer"), 1),
        (PermissionError(13, "Permission denied", "x.db"), 1),
        (ZeroDivisionError("a mistake"), 70),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_one_line_on_standard_error_and_a_code(
    error: BaseException, code: int, fail_with: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(error)

    assert main(["fail"]) == code

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("safety-monitor: ")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [["generate"], ["generate", "--patients", "many", "--seed", "1"], ["generate", "--nonsense"], ["nonsense"], []],
    ids=" ".join,
)
def test_unusable_arguments_exit_2_with_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2

    assert capsys.readouterr().err.count("\n") == 1


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for word, target in commands.COMMANDS.items():
        for second in [target] if isinstance(target, str) else target:
            assert main([word, "--help"] if isinstance(target, str) else [word, second, "--help"]) == 0
            assert "Usage: safety-monitor" in capsys.readouterr().out


def test_a_command_imports_nothing_of_the_others() -> None:
    program = "import sys; from monitor.cli.main import main; main(['generate', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(done.stdout.split())

    assert not loaded & {"faust", "sqlalchemy", "apprise", "monitor.cli.worker", "monitor.core"}


def test_generate_writes_a_file_and_says_what_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "trial.jsonl"

    assert main(["generate", "--patients", "2", "--seed", "1", "--out", str(out)]) == 0

    assert out.read_text().startswith('{"specversion":"1.0"')
    assert "messages of 2 patients" in capsys.readouterr().err


@pytest.mark.parametrize(("bytes_long", "refused"), [(262_144, 0), (262_145, 1)])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_end_of_a_line_is_no_part_of_its_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bytes_long: int, refused: int, end: bytes
) -> None:
    scenario = Path(__file__).parents[1] / "scenarios/16-agvhd-grade-2.events.jsonl"
    enrolment = scenario.read_bytes().splitlines()[0]
    filled = (
        b'{"filling": "' + b"x" * (bytes_long - len(enrolment) - len(b'{"filling": "", ') + 1) + b'", ' + enrolment[1:]
    )
    assert len(filled) == bytes_long
    file = tmp_path / "events.jsonl"
    file.write_bytes(filled + end)
    assert main(["simulate", str(file), "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["quarantined"]) == refused


def test_a_line_without_end_is_refused_as_too_large_and_the_next_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = Path(__file__).parents[1] / "scenarios/16-agvhd-grade-2.events.jsonl"
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"[" * (MAX_READ * 2 + 7) + b"\n" + scenario.read_bytes())
    assert main(["simulate", str(file), "--format", "json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [(refused["line"], refused["reason"]) for refused in result["quarantined"]] == [(1, "too_large")]
    assert len(result["patients"]) == 1
