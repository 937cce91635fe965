"""The tables that are read instead of the log, and written with it."""

from collections import Counter
from dataclasses import replace

import pytest

from monitor.audit.batch import Heard, Unanswered
from monitor.audit.ports import AuditLog
from monitor.audit.sources import in_window
from monitor.core.alert import LIVE
from monitor.errors import VersionConflict
from tests.audit.given import START, alert, at, batch, fact, patient


async def test_patients_are_due_in_order_of_time(log: AuditLog) -> None:
    rows = (patient("late", due_at=at(9)), patient("b", due_at=at(2)), patient("a", due_at=at(2)), patient("never"))
    await log.append(batch(patients=rows))

    assert [row.patient for row in await log.due_patients(at(5))] == ["a", "b"]
    assert [row.patient for row in await log.due_patients(at(5), limit=1)] == ["a"]
    assert [row.patient for row in await log.due_patients(at(9))] == ["a", "b", "late"]
    assert await log.due_patients(at(1.99)) == []


async def test_patients_of_other_partitions_are_left_to_others(log: AuditLog) -> None:
    rows = (patient("a", partition=0, due_at=START), patient("b", partition=1, due_at=START))
    await log.append(batch(patients=rows))

    assert [row.patient for row in await log.due_patients(START, partitions={1})] == ["b"]
    assert await log.due_patients(START, partitions=set()) == []


async def test_a_row_is_overwritten_by_the_newer(log: AuditLog) -> None:
    await log.append(batch(patients=(patient(due_at=at(1)),), alerts=(alert(),)))
    newer = patient(version=2, events=2, protocol_state="stopped", restart_window="pending")
    await log.append(batch(patients=(newer,), alerts=(alert(status="withdrawn", revision=2),)))

    assert await log.patients() == [newer]
    assert await log.alerts() == [alert(status="withdrawn", revision=2)]


async def test_a_refused_batch_writes_no_row(log: AuditLog) -> None:
    with pytest.raises(VersionConflict):
        await log.append(batch(fact(), expected={"system": 4}, patients=(patient(),), alerts=(alert(),)))

    assert await log.patients() == []
    assert await log.alerts() == []


async def test_alerts_are_found_by_patient_and_status_in_order(log: AuditLog) -> None:
    rows = (
        alert("3", effective_at="2025-06-13"),
        alert("2", rule="stop.relapse", status="acknowledged"),
        alert("1", patient="SH-002"),
    )
    await log.append(batch(alerts=rows))

    assert [row.alert_id for row in await log.alerts()] == ["1", "2", "3"]
    assert [row.alert_id for row in await log.alerts(patient="SH-001")] == ["2", "3"]
    assert [row.alert_id for row in await log.alerts(statuses={"firing"})] == ["1", "3"]
    assert await log.open_by_rule() == Counter(row.rule for row in await log.alerts(statuses=LIVE))


async def test_all_rows_can_be_put_in_place_anew(log: AuditLog) -> None:
    await log.append(batch(patients=(patient("old"),), alerts=(alert("old"),)))

    await log.replace_read_models([patient("new")], [alert("new")])

    assert [row.patient for row in await log.patients()] == ["new"]
    assert [row.alert_id for row in await log.alerts()] == ["new"]


LAB = "safety.lab"


async def test_what_a_source_sends_is_counted_over_two_hours(log: AuditLog) -> None:
    await log.append(batch(recorded_at=at(0), heard=(Heard(LAB, "/lis", 5, 1), Heard(LAB, "", 0, 2))))
    await log.append(batch(recorded_at=at(10), heard=(Heard(LAB, "/lis", 4, 0),)))
    await log.append(batch(recorded_at=at(60), heard=(Heard(LAB, "/lis", 1, 3),)))

    unknown, lis = sorted(await log.sources(), key=lambda row: row.source)

    assert (lis.last_at, lis.read_ever) == (at(60), 10)
    assert in_window(lis, at(60)) == (10, 4)
    assert in_window(lis, at(120)) == (1, 3)
    assert in_window(lis, at(180)) == (0, 0)
    assert in_window(unknown, at(60)) == (0, 2)


async def test_sources_are_found_by_when_they_last_sent_the_worst_first(log: AuditLog) -> None:
    await log.append(batch(recorded_at=at(0), heard=(Heard(LAB, "/old", 1, 0),)))
    await log.append(batch(recorded_at=at(9), heard=(Heard(LAB, "/good", 9, 0), Heard(LAB, "/worse", 1, 8))))

    assert [row.source for row in await log.sources(heard_from=at(9))] == ["/worse", "/good"]
    assert [row.source for row in await log.sources(heard_until=at(9))] == ["/old"]
    assert [row.source for row in await log.sources(read_ever=2)] == ["/good"]
    assert [row.source for row in await log.sources(limit=1)] == ["/worse"]


async def test_a_refused_batch_counts_nothing(log: AuditLog) -> None:
    with pytest.raises(VersionConflict):
        await log.append(batch(fact(), expected={"system": 4}, heard=(Heard(LAB, "/lis", 1, 0),)))

    assert await log.sources() == []


async def test_what_nobody_has_answered_is_counted_by_priority(log: AuditLog) -> None:
    rows = (
        replace(alert("a"), priority="high", changed_at=at(3)),
        replace(alert("b"), priority="high", changed_at=at(1)),
        replace(alert("c"), priority="low", changed_at=at(2)),
        replace(alert("d"), priority="low", status="acknowledged", changed_at=at(0)),
    )
    await log.append(batch(alerts=rows))

    assert await log.unanswered() == [
        Unanswered(priority="high", count=2, oldest_at=at(1)),
        Unanswered(priority="low", count=1, oldest_at=at(2)),
    ]
