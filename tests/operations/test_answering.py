"""What a person says of the alert that a patient cannot be assessed."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitor.audit.batch import AlertRow, Batch
from monitor.audit.leading import Leases
from monitor.audit.read_models import folded, kept
from monitor.errors import UsageError
from monitor.operations.answering import answer
from monitor.operations.watch import OperationsWatch
from monitor.recorder import draft
from monitor.recorder.deciding import Advance, Decision, Taken
from monitor.recorder.failing import RULE
from monitor.recorder.known import Known
from tests.engine.bench import PROTOCOL, Bench, Silence
from tests.engine.wire import enrolment, platelets

PATIENT = "SH-013"


def raising(_patient: str, _known: Known, _taken: Sequence[Taken], _advance: Advance | None) -> Decision:
    raise ZeroDivisionError("a mistake of ours")


@pytest.fixture
async def failing(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A patient who cannot be assessed."""
    bench = Bench()
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.patient", enrolment(PATIENT)))
    monkeypatch.setattr(draft, "decide", raising)
    await recorder.record(bench.sent("safety.lab", platelets(PATIENT, 1)))
    return bench


async def the_alert(bench: Bench) -> AlertRow:
    (row,) = [row for row in await bench.log.alerts() if row.rule == RULE]
    return row


async def acknowledged(bench: Bench) -> None:
    await bench.log.append(await word_on(bench))
    await looked(bench)


async def word_on(bench: Bench) -> Batch:
    """What an officer says of the alert, as it stands now."""
    word = answer(await the_alert(bench), "acknowledged", actor="officer-1", note="I watch by hand", now=bench.hands.at)
    return Batch(recorded_at=bench.hands.at, records=(word,))


async def looked(bench: Bench) -> None:
    """The watch of a worker that has just started looks once."""
    leases = Leases(bench.log, "watch", timedelta(seconds=15))
    watch = OperationsWatch(bench.log, leases, [], Silence(), bench.hands, bench.metrics, wake=lambda: None)
    await watch.look()


async def test_an_officer_acknowledges_it_and_is_not_called_again_for_the_next_result(failing: Bench) -> None:
    await acknowledged(failing)
    assert (await the_alert(failing)).status == "acknowledged"
    recorder = await failing.start()
    await recorder.record(failing.sent("safety.lab", platelets(PATIENT, 2)))
    assert (await the_alert(failing)).status == "acknowledged"
    assert (await failing.log.stream("system/alerts"))[0].actor == "officer-1"


async def test_it_still_ends_by_itself_and_the_log_gives_the_same_queue(
    failing: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await acknowledged(failing)
    monkeypatch.undo()
    recorder = await failing.start()
    await recorder.record(failing.sent("safety.lab", platelets(PATIENT, 2)))
    await looked(failing)
    assert (await the_alert(failing)).status == "withdrawn"
    assert not (await kept(failing.log)).differing(await folded(failing.log, PROTOCOL))
    assert await failing.whole()


async def test_a_word_that_comes_after_its_end_does_not_bring_it_back(
    failing: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = await word_on(failing)
    monkeypatch.undo()
    recorder = await failing.start()
    await recorder.record(failing.sent("safety.lab", platelets(PATIENT, 2)))
    await failing.log.append(late)
    await looked(failing)
    assert (await the_alert(failing)).status == "withdrawn"
    assert not (await kept(failing.log)).differing(await folded(failing.log, PROTOCOL))


async def test_nobody_closes_it_while_the_patient_is_not_watched(failing: Bench) -> None:
    row = await the_alert(failing)
    with pytest.raises(UsageError, match="ends by itself"):
        answer(row, "resolved", actor="officer-1", note="seen", now=failing.hands.at)
