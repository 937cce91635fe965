"""Redaction: what people wrote is gone for good, and everything that was decided still stands and can be proved."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import event, select, text

from monitor.audit.batch import Batch
from monitor.audit.database import Database
from monitor.audit.kinds import INPUT_REFUSED, RECORD_REDACTED, SYSTEM_ALERTS, patient_stream, quarantine_stream
from monitor.audit.log import SqlAuditLog
from monitor.audit.read_models import folded, kept
from monitor.audit.records import Record
from monitor.audit.redacting import planning
from monitor.audit.redacting.request import Request
from monitor.audit.replay import replay
from monitor.audit.schema import upgrade
from monitor.audit.tables import payload_keys, tombstones
from monitor.audit.verify import verify
from monitor.errors import UsageError, VersionConflict
from monitor.operations.answering import answer
from monitor.operations.standing import Standing
from monitor.recorder.failing import failed
from monitor.recorder.inputs import Input
from monitor.recorder.recorder import Recorder
from monitor.recorder.rows import alert_row
from tests.audit.given import batch, fact
from tests.audit.rig import LATE, PROTOCOL, HandClock, recorder, topic_of

NAME = "Zhang San, bed 12"
WHY = "a name was entered"
EVENT = "safety.adverse-event.reported.v1"
TABLES = ("audit_log", "outbox", "alerts", "patients", "tombstones", "sources", "positions")


def message(kind: str, record: str, day: int, *, subject: str = "SH-001", version: int = 1, **data: Any) -> bytes:
    at = f"2025-05-{day:02}T09:00:00+08:00"
    block = {"record_id": record, "record_version": version, "effective_at": at}
    sent = {"specversion": "1.0", "id": f"{record}-{version}", "source": "/ward", "type": f"safety.{kind}.v1"}
    return json.dumps(sent | {"subject": subject, "time": at, "data": block | data}).encode()


LINES = [
    message("patient.enrolled", "e", 1, hct_date="2025-01-20", donor_type="haploidentical", birth_year=1980),
    message("adverse-event.reported", "ae", 2, term=NAME, ctcae_grade=4, life_threatening=True, remark=NAME),
    message("treatment.decided", "d", 3, decision="stop", rationale=f"as {NAME} said", signed_by="dr-7"),
    message("lab.resulted", "l", 4, code="26499-4", value="1.2", unit=NAME),
    message("patient.enrolled", "e2", 1, subject="SH-002", hct_date="2025-01-20"),
]


@pytest_asyncio.fixture
async def log(sql_log: SqlAuditLog) -> AsyncIterator[SqlAuditLog]:
    """Two patients; of the first an adverse event that stops, a decision and a refused result name somebody."""
    await record(sql_log, LINES)
    yield sql_log


class Interrupted(Exception):  # noqa: N818
    """The process was killed here."""


async def next_of(log: SqlAuditLog, line: bytes) -> Input:
    """A message that comes next on its topic."""
    topic = topic_of(line)
    position = (await log.positions()).get((topic, 0))
    return Input(topic=topic, partition=0, offset=position.next_offset if position else 0, key=None, value=line)


async def worker(log: SqlAuditLog) -> Recorder:
    clock = HandClock()
    clock.at = LATE + timedelta(days=365 * 2102)
    return await recorder(log, clock, events_clock=False)


async def record(log: SqlAuditLog, lines: list[bytes]) -> None:
    target = await worker(log)
    for line in lines:
        await target.record([await next_of(log, line)])


def request(*, whole: bool = False) -> Request:
    return Request(WHY, "officer-3", LATE + timedelta(days=365 * 2101), whole=whole)


async def redact(log: SqlAuditLog, sequence: int, *, whole: bool = False) -> Record:
    plan = await planning.of_record(log, PROTOCOL, sequence, request(whole=whole))
    [act] = await log.erase(plan.erasure)
    return act


async def found(log: SqlAuditLog, kind: str, subject: str = "SH-001") -> Record:
    return next(each for each in await log.stream(patient_stream(subject)) if each.kind == kind)


async def rows_of(url: str, *names: str) -> str:
    """All rows of these tables, as text."""
    database = Database(url, writing=False)
    async with database.reading() as connection:
        rows = [list((await connection.execute(text(f"SELECT * FROM {name}"))).all()) for name in names]  # noqa: S608
    await database.close()
    return str(rows)


async def standing(log: SqlAuditLog) -> dict[str, Any]:
    shown: Any = (await replay(log, PROTOCOL)).to_json()["patients"]
    return dict(shown)


async def test_no_payload_stands_in_the_log_in_the_clear(url: str, log: SqlAuditLog) -> None:
    shown = await rows_of(url, "audit_log")

    assert NAME not in shown
    assert "ctcae_grade" not in shown
    assert json.loads((await found(log, EVENT)).payload)["data"]["term"] == NAME


async def test_what_a_person_wrote_is_gone_and_every_decision_stands(log: SqlAuditLog) -> None:
    before = await standing(log)
    act = await redact(log, (await found(log, EVENT)).sequence)

    left = await found(log, EVENT)
    assert NAME not in left.payload
    assert json.loads(left.payload)["data"]["ctcae_grade"] == 4
    assert left.redacted is not None
    assert (left.redacted.act, left.redacted.by, left.redacted.why) == (act.sequence, "officer-3", WHY)
    assert await standing(log) == before
    verdict = await verify(log, PROTOCOL)
    assert (verdict.tampered, verdict.redacted, verdict.erased, verdict.differs) == (False, 1, 0, ())
    assert (await kept(log)).differing(await folded(log, PROTOCOL)) == []


async def test_of_a_refused_message_every_copy_goes_and_its_alert_stays(url: str, log: SqlAuditLog) -> None:
    before = await standing(log)
    refused = await found(log, INPUT_REFUSED)
    assert NAME in await rows_of(url, "alerts")

    await redact(log, refused.sequence)

    for sequence in [(await found(log, each)).sequence for each in (EVENT, "safety.treatment.decided.v1")]:
        await redact(log, sequence)
    assert NAME not in await rows_of(url, *TABLES)
    assert NAME not in str([record.payload async for record in log.read()])
    [quarantined] = await log.stream(quarantine_stream("safety.lab"))
    assert quarantined.redacted is not None
    after = await standing(log)
    assert [each["alert_id"] for each in after["SH-001"]["alerts"]] == [
        each["alert_id"] for each in before["SH-001"]["alerts"]
    ]
    verdict = await verify(log, PROTOCOL)
    assert (verdict.tampered, verdict.erased, verdict.differs) == (False, 0, ())
    assert (await kept(log)).differing(await folded(log, PROTOCOL)) == []


async def test_a_message_that_comes_again_stays_out(log: SqlAuditLog) -> None:
    await redact(log, (await found(log, EVENT)).sequence)
    head = await log.head()

    await record(log, LINES[1:2])

    assert (await log.head()).sequence == head.sequence


async def test_a_worker_at_work_goes_on_with_what_is_left(log: SqlAuditLog) -> None:
    target = await worker(log)
    await target.record([await next_of(log, message("graft.assessed", "g", 5, rejection=False))])  # now it knows her
    await redact(log, (await found(log, EVENT)).sequence)

    await target.record([await next_of(log, message("graft.assessed", "g", 6, version=2, rejection=False))])

    verdict = await verify(log, PROTOCOL)
    assert (verdict.tampered, verdict.differs) == (False, ())


async def test_all_of_a_patient_is_gone_and_the_others_stay(url: str, log: SqlAuditLog) -> None:
    before = await standing(log)
    plan = await planning.of_patient(log, "SH-001", request())
    assert {row.rule for row in plan.alerts} >= {"report.susar-clock"}

    await log.erase(plan.erasure)

    assert NAME not in await rows_of(url, *TABLES)
    assert await log.alerts(patient="SH-001") == []
    assert [row.protocol_state for row in await log.patients()] == ["redacted", before["SH-002"]["protocol_state"]]
    assert await standing(log) == {"SH-002": before["SH-002"]}
    verdict = await verify(log, PROTOCOL)
    assert (verdict.tampered, verdict.erased, verdict.differs) == (False, 1, ())
    assert (await kept(log)).differing(await folded(log, PROTOCOL)) == []
    assert await log.due_patients(LATE + timedelta(days=365 * 3000)) == [
        row for row in await log.patients() if row.due_at and row.patient == "SH-002"
    ]


async def test_a_patient_of_whom_all_was_erased_begins_anew(log: SqlAuditLog) -> None:
    await log.erase((await planning.of_patient(log, "SH-001", request())).erasure)

    await record(log, [message("patient.enrolled", "new", 7, hct_date="2025-01-20")])

    assert (await standing(log))["SH-001"]["events"] == 1
    assert (await kept(log)).differing(await folded(log, PROTOCOL)) == []
    assert not (await verify(log, PROTOCOL)).tampered


async def test_what_was_said_of_a_patients_failed_assessment_goes_with_the_patient(log: SqlAuditLog) -> None:
    failure = failed("SH-001", PROTOCOL.hash, "ZeroDivisionError", LATE)
    row = alert_row(failure.change)
    await log.append(Batch(recorded_at=LATE, records=(failure.record,), alerts=(row,)))
    word = answer(row, "acknowledged", actor="officer-1", note=f"{NAME} is watched by hand", now=LATE)
    await log.append(Batch(recorded_at=LATE, records=(word,)))

    await log.erase((await planning.of_patient(log, "SH-001", request())).erasure)

    [said] = await log.stream(SYSTEM_ALERTS)
    assert said.gone
    standing = Standing(log)
    assert await standing.follow() == []
    assert (standing.version, standing.rows) == (1, {})
    assert not (await verify(log, PROTOCOL)).tampered


async def test_what_stands_is_not_taken_away_by_erasing_its_ground(log: SqlAuditLog) -> None:
    reported = await found(log, EVENT)

    with pytest.raises(UsageError, match=r"other things would stand: .*report\.susar-clock"):
        await planning.of_record(log, PROTOCOL, reported.sequence, request(whole=True))


async def test_a_whole_record_goes_where_nothing_rests_on_it(log: SqlAuditLog) -> None:
    await record(log, [message("medication.given", "m", 5, name=NAME)])
    given = await found(log, "safety.medication.given.v1")

    await redact(log, given.sequence, whole=True)

    assert (await found(log, "safety.medication.given.v1")).gone
    verdict = await verify(log, PROTOCOL)
    assert (verdict.tampered, verdict.redacted, verdict.erased) == (False, 1, 1)


async def test_why_somebody_redacted_can_itself_be_redacted(log: SqlAuditLog) -> None:
    act = await redact(log, (await found(log, EVENT)).sequence)
    before = await standing(log)

    await redact(log, act.sequence)

    assert WHY not in (await found(log, RECORD_REDACTED)).payload
    assert await standing(log) == before
    assert (await verify(log, PROTOCOL)).redacted == 2


async def test_a_redaction_waits_for_no_history_that_has_gone_on(log: SqlAuditLog) -> None:
    plan = await planning.of_record(log, PROTOCOL, (await found(log, EVENT)).sequence, request())
    await log.append(batch(fact("SH-001")))

    with pytest.raises(VersionConflict):
        await log.erase(plan.erasure)
    assert NAME in (await found(log, EVENT)).payload


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DELETE FROM payload_keys WHERE sequence = 3", "no record says that it was redacted"),
        ("DELETE FROM wrapping_keys WHERE owner = 'patient/SH-001'", "does not open under its key"),
        ("UPDATE payload_keys SET wrapped = (SELECT wrapped FROM payload_keys WHERE sequence = 1)", "does not open"),
    ],
)
async def test_a_key_that_is_gone_without_a_word_is_found(
    url: str, log: SqlAuditLog, statement: str, what: str
) -> None:
    await log.close()
    database = Database(url)
    async with database.writing() as connection:
        await connection.execute(text(statement))
    await database.close()

    again = await SqlAuditLog.open(url, writing=False)
    verdict = await verify(again, PROTOCOL)
    await again.close()

    assert verdict.broken is not None
    assert what in verdict.broken.what


async def test_sqlite_keeps_no_byte_of_it(sqlite_url: str, tmp_path: Path) -> None:
    await upgrade(sqlite_url)
    log = await SqlAuditLog.open(sqlite_url)
    await record(log, LINES)
    for kind in (EVENT, "safety.treatment.decided.v1", INPUT_REFUSED):
        await redact(log, (await found(log, kind)).sequence)
    await log.close()

    assert not [path for path in tmp_path.glob("log.db*") if NAME.encode() in path.read_bytes()]  # noqa: ASYNC240


async def test_a_log_is_encrypted_or_not_from_its_first_record_on(url: str) -> None:
    await upgrade(url)
    plain = await SqlAuditLog.open(url, encrypt=False)
    await plain.append(batch(fact(dedupe_key="k")))
    await plain.close()

    again = await SqlAuditLog.open(url)
    await again.append(batch(fact(number=2, dedupe_key="k2")))
    assert [each.scheme async for each in again.read()] == [1, 1]
    with pytest.raises(UsageError, match="begun without encryption"):
        await planning.of_record(again, PROTOCOL, 1, request())
    await again.close()
    with pytest.raises(UsageError, match="begun without encryption and goes on so"):
        await SqlAuditLog.open(url, encrypt=True)


@pytest.mark.usefixtures("log")
async def test_encryption_is_not_switched_off_later(url: str) -> None:
    with pytest.raises(UsageError, match="begun with encrypted payloads"):
        await SqlAuditLog.open(url, writing=False, encrypt=False)


async def test_killed_before_any_statement_a_redaction_erases_nothing(url: str) -> None:
    await upgrade(url)
    database = Database(url)
    log = SqlAuditLog(database)
    await record(log, LINES)
    plan = await planning.of_record(log, PROTOCOL, (await found(log, INPUT_REFUSED)).sequence, request())
    before = await rows_of(url, *TABLES, "payload_keys")
    left = 0

    def interrupt(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Interrupted

    event.listen(database.engine.sync_engine, "before_cursor_execute", interrupt)
    event.listen(database.engine.sync_engine, "commit", interrupt)
    steps = 0
    while steps < 40:
        left = steps
        try:
            await log.erase(plan.erasure)
        except Interrupted:
            steps += 1
        if await rows_of(url, *TABLES, "payload_keys") != before:
            break  # it is done, if not yet forgotten
    left = 1_000

    assert steps >= 8
    verdict = await verify(log, PROTOCOL)
    assert (verdict.tampered, verdict.redacted) == (False, 3)
    await log.close()


async def test_keys_that_a_backup_brings_back_are_told_of_and_destroyed_again(url: str, log: SqlAuditLog) -> None:
    sequence = (await found(log, EVENT)).sequence
    database = Database(url, writing=False)
    async with database.reading() as connection:
        kept_key = (await connection.execute(select(payload_keys).where(payload_keys.c.sequence == sequence))).one()
    await redact(log, sequence)
    before = await standing(log)
    async with log.database.writing() as connection:
        await connection.execute(payload_keys.insert(), [dict(kept_key._mapping)])
    assert (await verify(log, PROTOCOL)).returned == 1

    assert await log.erase_again() == (1, 0)

    verdict = await verify(log, PROTOCOL)
    assert (verdict.tampered, verdict.redacted, verdict.returned) == (False, 1, 0)
    assert NAME not in (await found(log, EVENT)).payload
    assert await standing(log) == before
    await database.close()


async def test_a_tombstone_that_no_record_of_a_redaction_bears_out_destroys_nothing(log: SqlAuditLog) -> None:
    sequence = (await found(log, EVENT)).sequence
    async with log.database.writing() as connection:
        await connection.execute(tombstones.insert(), [{"sequence": sequence, "act": sequence + 1}])

    assert (await verify(log, PROTOCOL)).returned == 0
    assert await log.erase_again() == (0, 0)
    assert NAME in (await found(log, EVENT)).payload


async def test_a_log_without_the_secret_of_its_dedupe_keys_takes_nothing_more(log: SqlAuditLog) -> None:
    async with log.database.writing() as connection:
        await connection.execute(text("DELETE FROM wrapping_keys WHERE owner = 'dedupe'"))

    with pytest.raises(UsageError, match="restore its keys"):
        await log.append(batch(fact("again")))
    with pytest.raises(UsageError, match="restore its keys"):
        await log.known(["again"])
