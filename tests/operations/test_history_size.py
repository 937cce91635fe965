"""A history that outgrows all others: assessed as before, and operators look at what fills it."""

from monitor.audit.ports import AuditLog
from monitor.operations.history_size import HistorySize
from tests.audit.given import START, batch, patient


async def test_operators_are_told_past_the_limit_and_no_patient_is_named(log: AuditLog) -> None:
    check = HistorySize(log, records=100)
    await log.append(batch(patients=(patient("SH-001", version=100), patient("SH-002", version=5))))
    assert await check.troubles(START) == ()

    await log.append(batch(patients=(patient("SH-001", version=101), patient("SH-002", version=500))))

    (trouble,) = await check.troubles(START)
    assert trouble.summary == "The history of 2 patients has more than 100 records"
    assert trouble.priority == "medium"
