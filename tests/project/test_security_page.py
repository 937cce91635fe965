"""SECURITY.md promises nothing without a test."""

from tests.support.named_tests import ROOT, missing_tests, rows_without_test

PAGE = (ROOT / "SECURITY.md").read_text()
CONTROLS = PAGE.partition("## Controls")[2].partition("\n## ")[0]


def test_every_test_that_the_page_names_exists() -> None:
    assert missing_tests(PAGE) == []


def test_every_control_names_its_test() -> None:
    assert len([line for line in CONTROLS.splitlines() if line.startswith("|")]) > 20
    assert rows_without_test(CONTROLS) == []


def test_a_test_that_is_not_there_would_be_noticed() -> None:
    assert missing_tests("`tests/project/test_security_page.py::test_gone`, `tests/gone.py`") == [
        "tests/project/test_security_page.py::test_gone",
        "tests/gone.py",
    ]
