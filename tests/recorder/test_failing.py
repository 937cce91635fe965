"""An assessment that raises is its patient's alone: recorded, called out, and made good when it is mended."""

from collections.abc import Sequence

import pytest

from monitor.recorder import draft
from monitor.recorder.deciding import Advance, Decision, Taken, decide
from monitor.recorder.known import Known
from tests.engine.bench import Bench
from tests.engine.wire import azacitidine, blasts, enrolment, platelets

FAILED = "ops.assessment-failed"
BROKEN = "SH-013"


@pytest.fixture
def mistake(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A rule that raises for one patient."""

    def raising(patient: str, known: Known, taken: Sequence[Taken], advance: Advance | None) -> Decision:
        if patient == BROKEN:
            raise ZeroDivisionError("a mistake of ours")
        return decide(patient, known, taken, advance)

    monkeypatch.setattr(draft, "decide", raising)
    return monkeypatch


async def _treated(bench: Bench, patient: str) -> None:
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.patient", enrolment(patient)))
    await recorder.record(bench.sent("safety.treatment", azacitidine(patient, 1)))


@pytest.mark.usefixtures("mistake")
async def test_the_facts_are_recorded_somebody_is_called_and_the_others_go_on() -> None:
    bench = Bench()
    await _treated(bench, "SH-001")
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.clinical", blasts(BROKEN, 1), blasts("SH-001", 2)))
    await recorder.record(bench.sent("safety.lab", platelets(BROKEN, 3)))
    assert len(await bench.log.stream(f"patient/{BROKEN}")) == 2
    rows = await bench.log.alerts(statuses=("firing",))
    assert [(row.patient, row.priority) for row in rows if row.rule == FAILED] == [(BROKEN, "high")]
    assert "stop.relapse" in [row.rule for row in rows if row.patient == "SH-001"]
    assert len(await bench.records("safety.assessment.failed.v1")) == 1


async def test_when_it_is_mended_what_was_owed_is_decided(mistake: pytest.MonkeyPatch) -> None:
    bench = Bench()
    await _treated(bench, BROKEN)
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.clinical", blasts(BROKEN, 2)))
    assert await bench.raised() == [FAILED]
    mistake.undo()
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.lab", platelets(BROKEN, 3)))
    raised = await bench.raised()
    assert "stop.relapse" in raised
    assert FAILED not in raised
    assert await bench.whole()


@pytest.mark.usefixtures("mistake")
async def test_the_alert_names_the_kind_of_the_mistake_and_no_more() -> None:
    bench = Bench()
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.clinical", blasts(BROKEN, 1)))
    (row,) = await bench.log.alerts(statuses=("firing",))
    assert '"error":"ZeroDivisionError"' in row.content
    assert "a mistake of ours" not in row.content
