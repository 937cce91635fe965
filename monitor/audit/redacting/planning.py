"""`redact`: what a redaction erases and what it leaves, planned from what is on the log. Writes nothing.

Nothing is planned that has not been rehearsed: the history is folded with what would be left of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Batch, PatientRow
from monitor.audit.clock import clocks
from monitor.audit.decisions import latest
from monitor.audit.erasing import Erasure
from monitor.audit.log import SqlAuditLog
from monitor.audit.protocols import files_in
from monitor.audit.read_models import erased_row, patient_row
from monitor.audit.records import Record
from monitor.audit.redacting.copies import check_encrypted, copy_of, record_at, same, twins
from monitor.audit.redacting.leaving import Marks, details, what_is_left
from monitor.audit.redacting.rehearsal import check_same, folded
from monitor.audit.redacting.request import Request, act_of
from monitor.audit.scrubbing import scrubbed
from monitor.core.alert import LIVE
from monitor.core.patient import Patient
from monitor.errors import UsageError
from monitor.events.codec import restore
from monitor.protocol.model import Protocol


@dataclass(frozen=True, slots=True)
class Redaction:
    """A transaction, and what it does in the eyes of whoever asked: by record, what is left (None: nothing)."""

    erasure: Erasure
    records: Mapping[int, str | None]
    patient: str | None = None
    alerts: tuple[AlertRow, ...] = ()


async def of_record(log: SqlAuditLog, otherwise: Protocol, sequence: int, request: Request) -> Redaction:
    """Erase what a person wrote in a record, and in every copy of it. Raises UsageError for one that cannot be.

    `otherwise`: the protocol file for a log that holds none.
    """
    record = await record_at(log, sequence)
    patient = kinds.patient_named(record.stream)
    if patient is None and record.stream.startswith(kinds.quarantine_stream("")):
        patient = getattr(restore(record.payload), "subject", None)
    if patient is None:
        return _of_system(record, await twins(log, record), request)
    facts = await log.stream(kinds.patient_stream(patient))
    copies = await twins(log, record)
    targets = [each for each in facts if same(each, record)] + copies
    if record.sequence not in {each.sequence for each in targets}:
        targets.append(record)
    marks = Marks()
    left = {each.sequence: None if request.whole else what_is_left(each, marks) for each in targets}
    return await _of_patient(log, otherwise, patient, facts, targets, left, marks, request)


async def of_patient(log: SqlAuditLog, patient: str, request: Request) -> Redaction:
    """Erase all that is known of a patient. Raises UsageError where nothing is."""
    await check_encrypted(log)
    facts = await log.stream(kinds.patient_stream(patient))
    if not facts:
        raise UsageError(f"the log knows no patient {patient}")
    owner = kinds.patient_stream(patient)
    keys = sorted({each.key_id for each in facts if each.key_id is not None and each.kind != kinds.RECORD_REDACTED})
    act = act_of(request, owner, patient, None, keys)
    batch = Batch(
        recorded_at=request.at,
        records=(replace(act, keyed_by=kinds.SYSTEM),),
        expected={owner: len(facts)},
        patients=(erased_row(patient, version=len(facts) + 1),),
    )
    copies = tuple(copy_of(each) for each in facts if each.kind == kinds.INPUT_REFUSED and each.origin is not None)
    live = tuple(await log.alerts(patient=patient, statuses=LIVE))
    return Redaction(Erasure(batch=batch, patient=patient, owner=owner, copies=copies), {}, patient, live)


async def _of_patient(
    log: SqlAuditLog,
    otherwise: Protocol,
    patient: str,
    facts: Sequence[Record],
    targets: Sequence[Record],
    left: dict[int, str | None],
    marks: Marks,
    request: Request,
) -> Redaction:
    decided = await log.stream(kinds.alert_stream(patient))
    told = details(targets, marks)  # what a refusal said is in its alert's words
    for each in decided:
        if not each.gone and told and (text := scrubbed(each.payload, told)) != each.payload:
            left[each.sequence] = text
    files = await files_in(log, otherwise)
    swept = clocks(await log.positions())
    row = next((each for each in await log.patients() if each.patient == patient), None)
    until = max(
        (at for at in (swept.get(row.partition or 0) if row else None, latest(decided)) if at is not None), default=None
    )
    before, after = folded(patient, files, facts, {}, until), folded(patient, files, facts, left, until)
    check_same(before, after, told, whole=request.whole)
    stream = kinds.patient_stream(patient)
    alerts = await log.alerts(patient=patient)
    batch = Batch(
        recorded_at=request.at,
        records=(act_of(request, stream, patient, left, []),),
        expected={stream: len(facts), kinds.alert_stream(patient): len(decided)},
        patients=() if row is None else (_row_after(row, after[0], len(facts) + 1),),
        alerts=tuple(_scrubbed_rows(alerts, told)),
    )
    copies = tuple(copy_of(each) for each in targets if each.kind == kinds.INPUT_REFUSED and each.origin is not None)
    erasure = Erasure(batch=batch, sequences=tuple(sorted(left)), patient=patient, texts=told, copies=copies)
    return Redaction(erasure, left, patient, tuple(each for each in alerts if each.status in LIVE))


def _of_system(record: Record, copies: Sequence[Record], request: Request) -> Redaction:
    if record.stream == kinds.PROTOCOLS:
        raise UsageError("a protocol file cannot be redacted: the decisions of the log were made by it")
    marks = Marks()
    targets = [record, *(each for each in copies if each.sequence != record.sequence)]
    left: dict[int, str | None] = {each.sequence: what_is_left(each, marks) for each in targets}
    if request.whole:
        if record.kind not in (kinds.INPUT_REFUSED, kinds.LOG_READ):
            raise UsageError(f"of record {record.sequence} ({record.kind}) its free text alone can be redacted")
        left = dict.fromkeys(left)
    act = act_of(request, kinds.SYSTEM, None, left, [])
    rows = tuple(copy_of(each) for each in targets if each.kind == kinds.INPUT_REFUSED and each.origin is not None)
    batch = Batch(recorded_at=request.at, records=(act,))
    return Redaction(Erasure(batch=batch, sequences=tuple(sorted(left)), copies=rows), left)


def _row_after(row: PatientRow, patient: Patient, version: int) -> PatientRow:
    return patient_row(row.patient, patient, partition=row.partition, version=version)


def _scrubbed_rows(alerts: Sequence[AlertRow], told: Mapping[str, str]) -> list[AlertRow]:
    rows = [replace(each, content=scrubbed(each.content, told)) for each in alerts] if told else []
    return [row for row, each in zip(rows, alerts, strict=False) if row != each]
