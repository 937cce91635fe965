"""What the recorder makes of messages and of time, on the log in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.errors import Fenced, PositionMismatch
from monitor.events.catalogue import TOPICS
from monitor.metrics import OTHER, Metrics
from tests.engine.bench import Bench
from tests.engine.wire import START, azacitidine, blasts, enrolment, platelets

LAB = "safety.lab.resulted.v1"
RAISED = "safety.alert.raised.v1"
TICKED = "safety.clock.ticked.v1"


async def test_the_same_offsets_again_change_nothing() -> None:
    bench = Bench()
    recorder = await bench.start()
    messages = bench.sent("safety.lab", *(platelets("SH-001", number) for number in range(5)))
    await recorder.record(messages)
    await recorder.record(messages[2:])
    assert len(await bench.records(LAB)) == 5
    assert (await bench.log.positions())["safety.lab", 0].next_offset == 5


async def test_how_far_a_partition_lags_is_no_longer_told_once_another_has_it() -> None:
    bench = Bench(metrics=Metrics(topics=TOPICS))
    recorder = await bench.start()
    await recorder.assigned([("safety.lab", 0)])
    recorder.fetched({("safety.lab", 0): 7})
    assert 'safety_consumer_lag{partition="0",topic="safety.lab"} 7.0' in bench.metrics.exposition().decode()
    await recorder.assigned([("safety.lab", 1)])
    assert "safety_consumer_lag{" not in bench.metrics.exposition().decode()


async def test_another_message_at_a_recorded_offset_stops_the_worker() -> None:
    bench = Bench()
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.lab", *(platelets("SH-001", number) for number in range(5))))
    anew = Bench(log=bench.log).sent("safety.lab", platelets("SH-009", 77))
    with pytest.raises(PositionMismatch, match="other bytes at the recorded offset 0"):
        await recorder.record(anew)


async def test_a_refused_message_is_kept_with_its_topic_and_with_its_patient() -> None:
    bench = Bench()
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.lab", platelets("SH-001", 1, value="900000"), b"\xff not json"))
    streams = [record.stream for record in await bench.records("safety.input.refused.v1")]
    assert sorted(streams) == ["patient/SH-001", "quarantine/safety.lab", "quarantine/safety.lab"]
    copies = await bench.log.claim_outbox(limit=9, lease_for=timedelta(seconds=1), now=bench.hands.now())
    assert {row.recipient for row in copies} == {"safety.quarantine"}


async def test_a_fact_of_the_future_waits_and_is_taken_once() -> None:
    bench = Bench()
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.patient", enrolment("SH-001")))
    await recorder.record(bench.sent("safety.treatment", azacitidine("SH-001", 1)))
    later = bench.hands.now() + timedelta(minutes=5)
    await recorder.record(bench.sent("safety.clinical", blasts("SH-001", 9, at=later)))
    assert "stop.relapse" not in await bench.raised()
    bench.hands.at = later + timedelta(seconds=1)
    await recorder.tick(bench.hands.now())
    assert "stop.relapse" in await bench.raised()
    before = len(await bench.records(RAISED))
    again = await bench.start()  # nothing is cached: the patient is folded from the log
    assert await again.tick(bench.hands.now()) == 0
    await again.record(bench.sent("safety.lab", platelets("SH-001", 3)))
    assert len(await bench.records(RAISED)) == before
    assert await bench.whole()


async def test_a_fact_far_ahead_of_all_clocks_is_counted_as_such() -> None:
    bench = Bench(metrics=Metrics(kinds=[LAB]))
    recorder = await bench.start()
    for number, minutes in enumerate((0, 9, 11, 60 * 24 * 3650)):
        at = bench.hands.now() + timedelta(minutes=minutes)
        await recorder.record(bench.sent("safety.lab", platelets("SH-001", number, at=at)))
    told = bench.metrics.exposition().decode()
    counts = [f'safety_events_total{{kind="{LAB}",outcome="{what}"}}' for what in ("recorded", "waiting", "ahead")]
    assert [f"{name} {number}.0" in told for name, number in zip(counts, (1, 1, 2), strict=True)] == [True] * 3


async def test_under_the_events_clock_facts_wait_until_every_topic_has_told_the_time() -> None:
    bench = Bench(events_clock=True)
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.clinical", blasts("SH-001", 2)))
    await recorder.record(bench.sent("safety.treatment", azacitidine("SH-001", 1)))
    await recorder.record(bench.sent("safety.patient", enrolment("SH-001")))
    day = START + timedelta(days=1)
    await bench.tell_time(recorder, day, *TOPICS[:-1])
    assert await bench.raised() == []
    await bench.tell_time(recorder, day, TOPICS[-1])
    assert "stop.relapse" in await bench.raised()


async def test_a_start_in_the_middle_of_a_back_fill_neither_forgets_nor_repeats() -> None:
    bench = Bench(events_clock=True)
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.patient", enrolment("SH-001")))
    await recorder.record(bench.sent("safety.treatment", azacitidine("SH-001", 1)))
    await bench.tell_time(recorder, START + timedelta(hours=1))
    changes = await bench.log.stream("alert/SH-001")
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.clinical", blasts("SH-001", 90)))
    assert await bench.log.stream("alert/SH-001") == changes
    await bench.tell_time(recorder, START + timedelta(hours=2))
    assert "stop.relapse" in await bench.raised()
    decided = [record.payload for record in await bench.log.stream("alert/SH-001")]
    assert len(decided) == len(set(decided))
    assert await bench.whole()


async def test_an_older_start_of_the_same_instance_is_fenced() -> None:
    bench = Bench()
    old = await bench.start()
    await old.record(bench.sent("safety.lab", platelets("SH-001", 1)))
    await bench.start()
    with pytest.raises(Fenced):
        await old.record(bench.sent("safety.lab", platelets("SH-001", 2)))
    assert len(await bench.records(LAB)) == 1


async def test_a_patient_written_by_another_is_read_again() -> None:
    bench = Bench()
    mine = await bench.start()
    await mine.record(bench.sent("safety.patient", enrolment("SH-001")))
    other = Bench(log=bench.log, instance="other", offsets=bench.offsets)
    theirs = await other.start()
    await theirs.record(bench.sent("safety.treatment", azacitidine("SH-001", 1)))
    bench.hands.at += timedelta(days=60)
    assert await mine.tick(bench.hands.now()) == 1  # what it has in memory is older than the log
    assert len(await bench.records(TICKED)) > 0
    await theirs.record(bench.sent("safety.lab", platelets("SH-001", 4)))
    assert await bench.whole()


async def test_a_fact_under_another_key_than_its_patient_is_recorded_and_counted() -> None:
    bench = Bench()
    recorder = await bench.start()
    (right,) = bench.sent("safety.lab", platelets("SH-001", 1))
    wrong, without = bench.sent("safety.lab", platelets("SH-001", 2), platelets("SH-001", 3))
    await recorder.record([replace(right, key=b"SH-001"), replace(wrong, key=b"SH-002"), without])
    assert len(await bench.log.stream("patient/SH-001")) == 3
    counted = bench.metrics.registry.get_sample_value("safety_keyed_wrongly_total", {"topic": OTHER})
    assert counted == 2
