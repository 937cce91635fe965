"""The protocol's table of rules against the code: none without clause, priority, review, words and tests."""

from pathlib import Path

import pytest

from monitor.core.rulebook import all_rules
from monitor.notify.texts import texts
from monitor.protocol.model import Protocol
from monitor.protocol.words import fields
from tests.core.rule_table import TABLE, Row

ROWS = pytest.mark.parametrize("row", TABLE, ids=[row.id for row in TABLE])
HERE = Path(__file__).parent
PROTOCOL = Protocol.load()


def test_the_table_and_the_code_know_the_same_rules() -> None:
    assert {row.id for row in TABLE} == all_rules().keys()
    assert len({row.id for row in TABLE}) == len(TABLE)


@ROWS
def test_a_rule_has_the_priority_the_review_and_the_clause_of_the_table(row: Row) -> None:
    rule = all_rules()[row.id]
    assert (rule.priority, rule.review, rule.clause) == (row.priority, row.review == "yes", row.clause)


@ROWS
def test_the_clause_of_a_rule_is_quoted_by_the_protocol_file_and_its_reading_is_a_field_of_it(row: Row) -> None:
    assert PROTOCOL.clauses[row.clause]
    reading = all_rules()[row.id].reading
    assert not reading or reading in fields(PROTOCOL)


@ROWS
def test_a_rule_has_its_words(row: Row) -> None:
    assert row.id in texts()


@ROWS
def test_a_rule_has_a_test_file_that_speaks_of_it(row: Row) -> None:
    file = HERE / f"{row.tests}.py"
    assert file.exists(), f"write {file.name}"
    assert f'"{row.id}"' in file.read_text()
