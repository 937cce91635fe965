"""Only the word rejection stops; graft failure or poor function without it is for review."""

from typing import Any

import pytest

from tests.core.charts import Chart, azacitidine, enrolled, message


def graft(day: float = 110, **data: Any) -> bytes:
    return message("graft.assessed", f"graft-{day}", day, **data)


@pytest.mark.parametrize(
    ("data", "review", "stop"),
    [
        ({"rejection": True}, 0, 1),
        ({"rejection": True, "failure": "secondary"}, 0, 1),
        ({"rejection": False, "failure": "primary"}, 1, 0),
        ({"failure": "secondary"}, 1, 0),
        ({"failure": "poor_function"}, 1, 0),
        ({"failure": "none"}, 0, 0),
        ({"rejection": False}, 0, 0),
    ],
)
def test_failure_or_poor_function_without_the_word_is_for_review(data: dict[str, Any], review: int, stop: int) -> None:
    chart = Chart([enrolled(), azacitidine(95), graft(**data)], 120)
    assert len(chart.alerts("graft.function")) == review
    assert len(chart.alerts("stop.graft-rejection")) == stop
    assert all((a.priority, a.review, a.clause) == ("medium", True, "stop.3") for a in chart.alerts("graft.function"))


def test_it_ends_when_the_graft_recovers() -> None:
    chart = Chart([enrolled(), graft(failure="poor_function"), graft(115, failure="none")], 120)
    assert chart.statuses("graft.function") == ["resolved"]
