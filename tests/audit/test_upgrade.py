"""After an upgrade of the program: a changed log is told from decisions that newer rules would make otherwise."""

from collections.abc import Callable
from dataclasses import fields

import pytest

from monitor.audit.core_version import CORE_VERSION
from monitor.audit.log import SqlAuditLog
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord, Record
from monitor.audit.verdict import Verdict
from monitor.audit.verify import verify
from tests.audit.given import batch
from tests.audit.rig import PROTOCOL, HandClock, messages_of, recorder
from tests.audit.test_verify import tamper
from tests.core import charts
from tests.support.memory_log import MemoryAuditLog

CHART = [charts.enrolled(80), charts.azacitidine(95), charts.acute(120, skin=3), charts.marrow(130, "85")]


def of(patient: str) -> list[bytes]:
    return [raw.replace(b"SH-001", patient.encode()) for raw in CHART]


async def decided(log: AuditLog, change: Callable[[Record], str | None]) -> None:
    """Two patients' records, each as `change` leaves its payload; None leaves it out."""
    honest, clock = MemoryAuditLog(), HandClock()
    clock.at = charts.on_day(140)
    target = await recorder(honest, clock, events_clock=False)
    await target.record(list(messages_of([*of("SH-001"), *of("SH-002")])))
    names = [field.name for field in fields(NewRecord)]
    async for record in honest.read():
        if (payload := change(record)) is not None:
            kept = {name: getattr(record, name) for name in names} | {"payload": payload}
            await log.append(batch(NewRecord(**kept)))


def by_an_older_program(record: Record) -> str:
    return record.payload.replace(f'"core":"{CORE_VERSION}"', '"core":"0.0.1"')


def summary(verdict: Verdict) -> tuple[bool, bool, bool]:
    return verdict.tampered, bool(verdict.differs), all(each.newer for each in verdict.differs)


async def test_what_newer_rules_decide_otherwise_is_no_tampering(log: AuditLog) -> None:
    await decided(log, lambda record: by_an_older_program(record).replace("grade II", "grade two"))
    assert summary(await verify(log, PROTOCOL)) == (False, True, True)


async def test_a_patient_of_whom_the_older_program_said_nothing_is_no_tampering_either(log: AuditLog) -> None:
    await decided(log, lambda record: None if record.stream == "alert/SH-002" else by_an_older_program(record))
    verdict = await verify(log, PROTOCOL)
    assert {each.patient for each in verdict.differs} == {"SH-002"}
    assert summary(verdict) == (False, True, True)


async def test_what_this_very_program_would_not_decide_is(log: AuditLog) -> None:
    await decided(log, lambda record: record.payload.replace("grade II", "grade two"))
    assert summary(await verify(log, PROTOCOL)) == (True, True, False)


async def test_a_patient_of_whom_this_very_program_said_nothing_is(log: AuditLog) -> None:
    await decided(log, lambda record: None if record.stream == "alert/SH-002" else record.payload)
    assert summary(await verify(log, PROTOCOL)) == (True, True, False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET payload = payload || ' ' WHERE stream = 'alert/SH-001'",
        "UPDATE audit_log SET salt = payload_hash",
        "DELETE FROM audit_log WHERE stream = 'alert/SH-002'",
    ],
)
async def test_a_changed_log_is_broken_whoever_decided(url: str, sql_log: SqlAuditLog, statement: str) -> None:
    await decided(sql_log, by_an_older_program)
    await sql_log.close()
    await tamper(url, statement)
    again = await SqlAuditLog.open(url, writing=False)
    verdict = await verify(again, PROTOCOL)
    await again.close()
    assert verdict.broken is not None
    assert verdict.tampered
