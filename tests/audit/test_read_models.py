"""The tables that are read instead of the log, and written with it."""

import pytest

from monitor.audit.ports import AuditLog
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


async def test_all_rows_can_be_put_in_place_anew(log: AuditLog) -> None:
    await log.append(batch(patients=(patient("old"),), alerts=(alert("old"),)))

    await log.replace_read_models([patient("new")], [alert("new")])

    assert [row.patient for row in await log.patients()] == ["new"]
    assert [row.alert_id for row in await log.alerts()] == ["new"]
