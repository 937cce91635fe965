"""A rule is asked again when what it reads has changed or its time has come, and only then."""

from monitor.core.assess import assess, find_stops
from tests.core.charts import Chart, azacitidine, decided, dli, enrolled, message


def test_a_decision_effective_minutes_after_it_was_sent_is_in_force_for_every_rule() -> None:
    """A sender's clock may be ten minutes ahead; the reminder must not stand on the course as it was before."""
    ahead = decided(142.9 + 5 / 1440, "hold", issued=142.9)
    chart = Chart([enrolled(), azacitidine(95), dli(100), ahead], 160)
    now = chart.patient.fold
    assert now.assessment is not None
    at = now.assessment.context.now
    stops = find_stops(now.history, now.assessment.context.protocol, at, None)
    anew = assess(now.history, now.assessment.context.protocol, at, stops=stops, memory=now.memory)
    assert {(f.rule.id, f.outcome) for f in anew.findings} == {(f.rule.id, f.outcome) for f in now.assessment.findings}


def test_a_rule_that_reads_nothing_new_is_not_asked_again() -> None:
    before = Chart([enrolled(), azacitidine(95)], 96).patient.fold.assessment
    seen = message("medication.given", "drug", 96, name="aspirin")
    after = Chart([enrolled(), azacitidine(95), seen], 97).patient.fold.assessment
    assert before is not None
    assert after is not None
    assert [f.rule.id for f in before.findings] == [f.rule.id for f in after.findings]
