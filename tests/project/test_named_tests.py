"""The pages promise nothing without a test: SECURITY.md by its table of controls, the others by what they name."""

from pathlib import Path

import pytest

from tests.support.named_tests import ROOT, missing_tests, rows_without_test

PAGE = (ROOT / "SECURITY.md").read_text()
CONTROLS = PAGE.partition("## Controls")[2].partition("\n## ")[0]


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    assert missing_tests(page.read_text()) == []


def test_every_control_names_its_test() -> None:
    assert len([line for line in CONTROLS.splitlines() if line.startswith("|")]) > 20
    assert rows_without_test(CONTROLS) == []


def test_every_clause_of_a_regulation_names_its_test() -> None:
    clauses = (ROOT / "docs/audit.md").read_text().partition("## What the regulations ask")[2]

    assert len([line for line in clauses.splitlines() if line.startswith("|")]) > 20
    assert rows_without_test(clauses) == []


def test_a_test_that_is_not_there_would_be_noticed() -> None:
    assert missing_tests("`tests/project/test_named_tests.py::test_gone`, `tests/gone.py`") == [
        "tests/project/test_named_tests.py::test_gone",
        "tests/gone.py",
    ]
