"""Refused messages are kept, and read again after a mend: here the limit of a message's size was too low."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.agents.leave import leave
from monitor.agents.retries import RetryTaker
from monitor.audit.batch import Batch
from monitor.audit.leading import Leases
from monitor.audit.records import Origin
from monitor.audit.replay import replay
from monitor.errors import PositionMismatch
from monitor.events.catalogue import TOPICS
from monitor.events.codec import restore
from monitor.events.envelope import Received
from monitor.recorder.recorder import Recorder
from monitor.recorder.retrying import AT_ONCE, Choice, asked_record
from tests.engine.bench import PROTOCOL, Bench
from tests.engine.wire import blasts, enrolment, platelets

PATIENT = "SH-001"
RIGHT = 262_144  # bytes
LAB = "safety.lab"


def taker(bench: Bench, recorder: Recorder) -> RetryTaker:
    leases = Leases(bench.log, "one", timedelta(seconds=15))
    return RetryTaker(recorder, bench.log, leases, bench.hands, leave, topics=TOPICS)


async def ask(bench: Bench, **chosen: object) -> None:
    until = (await bench.log.head()).sequence
    choice = Choice(until=until, **chosen)  # type: ignore[arg-type]
    record = asked_record(choice, actor="op-7", why="the limit was too low", now=bench.hands.at)
    await bench.log.append(Batch(recorded_at=bench.hands.at, records=(record,)))


async def spoilt(bench: Bench) -> Recorder:
    """An enrolled patient whose lab results were all refused for their size; then the limit is mended."""
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.patient", enrolment(PATIENT)))
    bench.max_message_bytes = 200
    recorder = await bench.start()
    await recorder.record(bench.sent(LAB, platelets(PATIENT, 1), b"no JSON", platelets(PATIENT, 2)))
    bench.max_message_bytes = RIGHT
    return await bench.start()


async def test_a_message_that_can_be_read_now_becomes_a_fact_from_where_it_came() -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    assert (await bench.raised()).count("data.refused") == 2
    await ask(bench, topic=LAB)

    await taker(bench, recorder).look()

    facts = await bench.records("safety.lab.resulted.v1")
    assert [record.origin for record in facts] == [Origin(LAB, 0, 0), Origin(LAB, 0, 2)]
    assert [record.stream for record in facts] == [f"patient/{PATIENT}"] * 2
    assert "data.refused" not in await bench.raised()
    assert len(await bench.log.stream(f"quarantine/{LAB}")) == 3
    assert await bench.whole()


async def test_a_message_that_was_refused_may_come_again_after_the_mend() -> None:
    bench = Bench(max_message_bytes=200)
    recorder = await bench.start()
    refused = bench.sent(LAB, platelets(PATIENT, 1), platelets(PATIENT, 2))
    await recorder.record(refused)
    bench.max_message_bytes = RIGHT
    recorder = await bench.start()

    await recorder.record(refused)  # killed before they were acknowledged

    assert await bench.records("safety.lab.resulted.v1") == []
    assert len(await bench.log.stream(f"quarantine/{LAB}")) == 2
    with pytest.raises(PositionMismatch):
        await recorder.record([replace(refused[0], value=platelets(PATIENT, 3))])


async def test_what_still_cannot_be_read_stays_and_the_outcome_is_recorded() -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    await ask(bench)

    await taker(bench, recorder).look()

    asked, made, done = await bench.log.stream("system/retries")
    assert (asked.actor, json.loads(asked.payload)["why"]) == ("op-7", "the limit was too low")
    kept = [record.sequence for record in await bench.log.stream(f"quarantine/{LAB}")]
    assert json.loads(made.payload) == {
        "asked": asked.sequence, "accepted": [kept[0], kept[2]], "refused": 1, "done": False,
    }  # fmt: skip
    assert json.loads(done.payload)["done"] is True


async def test_asked_again_or_after_a_crash_nothing_is_doubled() -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    await ask(bench)
    await recorder.read_again([])
    await taker(bench, recorder).look()
    facts = len(await bench.records("safety.lab.resulted.v1"))
    await ask(bench)
    again = await bench.start()
    service = taker(bench, again)

    await service.look()
    await service.look()

    assert len(await bench.records("safety.lab.resulted.v1")) == facts == 2
    assert len(await bench.log.stream("system/retries")) == 6  # two requests, and the bad message was tried twice


async def test_only_what_was_meant_is_read_again() -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    first = (await bench.log.stream(f"quarantine/{LAB}"))[0].sequence
    await ask(bench, sequences=(first,))

    await taker(bench, recorder).look()

    assert len(await bench.records("safety.lab.resulted.v1")) == 1
    assert (await bench.raised()).count("data.refused") == 1


async def test_a_source_that_is_read_again_is_not_taken_for_one_that_speaks() -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    before = await bench.log.sources()
    bench.hands.at += timedelta(days=30)
    await ask(bench)

    await taker(bench, recorder).look()

    assert await bench.log.sources() == before  # neither counted twice, nor heard of lately


async def test_many_messages_are_read_again_in_parts() -> None:
    bench = Bench(max_message_bytes=200)
    recorder = await bench.start()
    await recorder.record(bench.sent("safety.clinical", *(blasts(f"SH-{n:03}", n) for n in range(AT_ONCE + 5))))
    bench.max_message_bytes = RIGHT
    recorder = await bench.start()
    await ask(bench, reason="too_large")

    await taker(bench, recorder).look()

    assert len(await bench.records("safety.disease.assessed.v1")) == AT_ONCE + 5
    parts = [json.loads(record.payload) for record in await bench.records("safety.quarantine.retry-made.v1")]
    assert [len(part["accepted"]) for part in parts] == [AT_ONCE, 5, 0]


async def test_a_replay_of_the_log_comes_to_the_same() -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    await ask(bench)
    await taker(bench, recorder).look()

    patient = (await replay(bench.log, PROTOCOL)).patients[PATIENT]

    assert patient.events == 3
    assert [alert.status for alert in patient.alerts if alert.rule == "data.refused"] == ["withdrawn", "withdrawn"]


async def test_what_is_stored_says_which_refusal_it_ends_and_is_read_back_so() -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    await ask(bench)
    await taker(bench, recorder).look()
    (first, _) = await bench.records("safety.lab.resulted.v1")

    event = restore(first.payload)

    assert isinstance(event, Received)
    assert event.readmits is not None
    assert event.stored == first.payload


async def test_a_request_that_fails_is_not_tried_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    recorder = await spoilt(bench)
    await ask(bench)
    service = taker(bench, recorder)

    async def failing(_kept: object) -> list[int]:
        raise ZeroDivisionError

    service._recorder = type("Failing", (), {"read_again": staticmethod(failing)})()
    await service.look()
    await service.look()

    (made,) = await bench.records("safety.quarantine.retry-made.v1")
    assert json.loads(made.payload)["error"] == "ZeroDivisionError"
    assert "failed" in caplog.text
