"""A positive pregnancy test between enrolment and the end of treatment."""

import pytest

from tests.core.charts import Chart, azacitidine, decided, enrolled, message


def hcg(day: float, value: object = "positive", code: str = "2118-8") -> bytes:
    return message("lab.resulted", f"hcg-{day}", day, code=code, value=value)


def count(*messages: bytes) -> int:
    return len(Chart([enrolled(80), *messages], 160).alerts("pregnancy.positive"))


@pytest.mark.parametrize(("value", "told"), [("positive", 1), ("detected", 1), (1, 1), ("negative", 0), (0, 0)])
def test_a_positive_test_is_urgent(value: object, told: int) -> None:
    assert count(hcg(90, value)) == told
    for alert in Chart([enrolled(80), hcg(90, value)], 160).alerts("pregnancy.positive"):
        assert (alert.priority, alert.review, alert.clause) == ("high", True, "exclusion.10")


def test_it_counts_from_the_enrolment_day_to_the_end_of_treatment() -> None:
    assert count(hcg(79)) == 0
    assert count(hcg(80)) == 1
    treated = [azacitidine(95), decided(120, "complete")]
    assert count(*treated, hcg(119)) == 1
    assert count(*treated, hcg(121)) == 0


def test_treatment_that_is_held_or_stopped_has_not_ended() -> None:
    assert count(azacitidine(95), decided(100, "hold"), hcg(110)) == 1
    assert count(azacitidine(95), decided(100, "stop"), hcg(110)) == 1


def test_a_negative_test_ends_it() -> None:
    chart = Chart([enrolled(80), hcg(90), hcg(95, "negative")], 160)
    assert chart.statuses("pregnancy.positive") == ["resolved"]


@pytest.mark.parametrize("decision", ["complete", "stop"])
def test_also_after_the_end_of_treatment(decision: str) -> None:
    chart = Chart([enrolled(80), azacitidine(95), hcg(100), decided(110, decision), hcg(120, "negative")], 160)
    assert chart.statuses("pregnancy.positive") == ["resolved"]
