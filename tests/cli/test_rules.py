"""The list of rules that the code prints of itself, and the page made of it."""

from pathlib import Path

import pytest

from monitor.cli.main import main
from monitor.core.rulebook import all_rules

ROOT = Path(__file__).parents[2]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["rules", *arguments]) == 0
    return capsys.readouterr().out


def test_the_page_of_the_rules_is_as_the_code_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, "--format", "markdown", "--scenarios", str(ROOT / "tests/scenarios"))
    stale = "docs/rules.md is stale: safety-monitor rules --format markdown --scenarios tests/scenarios > docs/rules.md"
    assert (ROOT / "docs/rules.md").read_text() == page, stale


def test_every_rule_stands_on_it_with_what_it_reads_and_a_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    page = printed(capsys, "--format", "markdown", "--scenarios", str(ROOT / "tests/scenarios"))
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == list(all_rules())
    assert page.count("- Reads: ") == len(all_rules())
    assert "- Scenarios: none" not in page


def test_the_list_is_one_line_a_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(printed(capsys).splitlines()) == len(all_rules())
