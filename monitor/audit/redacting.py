"""`redact`: what a redaction erases and what it leaves, planned from what is on the log. Writes nothing.

What is left of a fact is all that rules read, so the history folds to the same decisions, which is tried before
anything is erased. One that would change what stands (`whole`) is refused: its source must take the fact back first.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from monitor.audit import kinds
from monitor.audit.batch import AlertRow, Batch, PatientRow
from monitor.audit.clock import clocks
from monitor.audit.decisions import Decided, derived, latest
from monitor.audit.erasing import Erasure
from monitor.audit.hashing import SCHEME_ENCRYPTED
from monitor.audit.log import SqlAuditLog
from monitor.audit.opening import UNREADABLE
from monitor.audit.protocols import files_in
from monitor.audit.read_models import erased_row, patient_row
from monitor.audit.records import NewRecord, Record, Redacted
from monitor.audit.refold import refold
from monitor.audit.scrubbing import scrubbed
from monitor.core.alert import LIVE
from monitor.core.patient import Patient
from monitor.errors import UsageError
from monitor.events.canonical import canonical
from monitor.events.codec import restore
from monitor.events.envelope import Received
from monitor.events.residue import residue
from monitor.notify.routing import QUARANTINE_CHANNEL
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline

NOT_ENCRYPTED: Final = "this log was begun without encryption: nothing can be taken out of it any more (docs/audit.md)"


@dataclass(frozen=True, slots=True)
class Request:
    """Who wants something erased, when and why; `whole`: nothing is to be left."""

    why: str
    actor: str
    at: datetime
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Redaction:
    """A transaction, and what it does in the eyes of whoever asked: by record, what is left (None: nothing)."""

    erasure: Erasure
    records: Mapping[int, str | None]
    patient: str | None = None
    alerts: tuple[AlertRow, ...] = ()


class Marks(dict[str, str]):
    """Erased texts and what stands in their place: equal texts have equal marks, and no mark tells of its text."""

    def of(self, text: str) -> str:
        """The mark of a text."""
        return self.setdefault(text, f"[redacted {secrets.token_hex(4)}]")


async def of_record(log: SqlAuditLog, otherwise: Protocol, sequence: int, request: Request) -> Redaction:
    """Erase what a person wrote in a record, and in every copy of it. Raises UsageError for one that cannot be.

    `otherwise`: the protocol file for a log that holds none.
    """
    record = await _record(log, sequence)
    patient = kinds.patient_named(record.stream)
    if patient is None and record.stream.startswith(kinds.quarantine_stream("")):
        patient = getattr(restore(record.payload), "subject", None)
    if patient is None:
        return _of_system(record, await _twins(log, record), request)
    facts = await log.stream(kinds.patient_stream(patient))
    copies = await _twins(log, record)
    targets = [each for each in facts if _same(each, record)] + copies
    if record.sequence not in {each.sequence for each in targets}:
        targets.append(record)
    marks = Marks()
    left = {each.sequence: None if request.whole else what_is_left(each, marks) for each in targets}
    return await _of_patient(log, otherwise, patient, facts, targets, left, marks, request)


async def of_patient(log: SqlAuditLog, patient: str, request: Request) -> Redaction:
    """Erase all that is known of a patient. Raises UsageError where nothing is."""
    await _check_encrypted(log)
    facts = await log.stream(kinds.patient_stream(patient))
    if not facts:
        raise UsageError(f"the log knows no patient {patient}")
    owner = kinds.patient_stream(patient)
    keys = sorted({each.key_id for each in facts if each.key_id is not None and each.kind != kinds.RECORD_REDACTED})
    act = _act(request, owner, patient, None, keys)
    batch = Batch(
        recorded_at=request.at,
        records=(replace(act, keyed_by=kinds.SYSTEM),),
        expected={owner: len(facts)},
        patients=(erased_row(patient, version=len(facts) + 1),),
    )
    copies = tuple(_copy_of(each) for each in facts if each.kind == kinds.INPUT_REFUSED and each.origin is not None)
    live = tuple(await log.alerts(patient=patient, statuses=LIVE))
    return Redaction(Erasure(batch=batch, patient=patient, owner=owner, copies=copies), {}, patient, live)


def what_is_left(record: Record, marks: Marks) -> str:
    """What is left of a record. Raises UsageError for a kind that nobody writes free text into."""
    if record.gone:
        raise UsageError(f"record {record.sequence} is redacted already, and nothing is left of it")
    if record.kind in (kinds.RECORD_REDACTED, kinds.RETRY_ASKED):
        payload = json.loads(record.payload)
        return canonical(payload | {"why": marks.of(payload["why"])})
    if record.kind == kinds.LOG_READ:
        payload = json.loads(record.payload)
        return canonical(payload | {"asked": {name: marks.of(each) for name, each in payload["asked"].items()}})
    if kinds.patient_of(record.stream) is None and record.kind != kinds.INPUT_REFUSED:
        raise UsageError(f"record {record.sequence} ({record.kind}) holds no free text of its own: redact its fact")
    try:
        return residue(record.payload, marks.of)
    except (ValueError, KeyError) as error:
        what = f"record {record.sequence} ({record.kind}) holds no free text"
        raise UsageError(f"{what}: nothing of it can be redacted but with its patient") from error


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
    told = _details(targets, marks)  # what a refusal said is in its alert's words
    for each in decided:
        if not each.gone and told and (text := scrubbed(each.payload, told)) != each.payload:
            left[each.sequence] = text
    files = await files_in(log, otherwise)
    swept = clocks(await log.positions())
    row = next((each for each in await log.patients() if each.patient == patient), None)
    until = max(
        (at for at in (swept.get(row.partition or 0) if row else None, latest(decided)) if at is not None), default=None
    )
    before, after = _folded(patient, files, facts, {}, until), _folded(patient, files, facts, left, until)
    _check_same(before, after, told, whole=request.whole)
    stream = kinds.patient_stream(patient)
    alerts = await log.alerts(patient=patient)
    batch = Batch(
        recorded_at=request.at,
        records=(_act(request, stream, patient, left, []),),
        expected={stream: len(facts), kinds.alert_stream(patient): len(decided)},
        patients=() if row is None else (_row_after(row, after[0], len(facts) + 1),),
        alerts=tuple(_scrubbed_rows(alerts, told)),
    )
    copies = tuple(_copy_of(each) for each in targets if each.kind == kinds.INPUT_REFUSED and each.origin is not None)
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
    act = _act(request, kinds.SYSTEM, None, left, [])
    rows = tuple(_copy_of(each) for each in targets if each.kind == kinds.INPUT_REFUSED and each.origin is not None)
    batch = Batch(recorded_at=request.at, records=(act,))
    return Redaction(Erasure(batch=batch, sequences=tuple(sorted(left)), copies=rows), left)


async def _record(log: SqlAuditLog, sequence: int) -> Record:
    await _check_encrypted(log)
    async for record in log.read(after=sequence - 1, limit=1):
        if record.sequence == sequence and record.payload == UNREADABLE and not record.gone:
            raise UsageError(f"record {sequence} cannot be read: run `safety-monitor verify`")
        if record.sequence == sequence:
            return record
    raise UsageError(f"the log has no record {sequence}")


async def _check_encrypted(log: SqlAuditLog) -> None:
    async for first in log.read(limit=1):
        if first.scheme != SCHEME_ENCRYPTED:
            raise UsageError(NOT_ENCRYPTED)


async def _twins(log: SqlAuditLog, record: Record) -> list[Record]:
    """The record of the same message in the quarantine: it was refused, or has been read again since."""
    if record.origin is None:
        return []
    quarantined = await log.stream(kinds.quarantine_stream(record.origin.topic))
    return [each for each in quarantined if each.origin == record.origin and not each.gone]


def _same(one: Record, other: Record) -> bool:
    """The same record, the same message, or the same content delivered again."""
    if one.gone:
        return False
    if one.sequence == other.sequence or (one.origin is not None and one.origin == other.origin):
        return True
    return one.kind == other.kind and _content(one) is not None and _content(one) == _content(other)


def _content(record: Record) -> str | None:
    if kinds.patient_of(record.stream) is None or record.kind in (kinds.CLOCK_TICKED, kinds.RECORD_REDACTED):
        return None
    event = restore(record.payload)
    return event.content if isinstance(event, Received) else None


def _details(targets: Sequence[Record], marks: Marks) -> dict[str, str]:
    refused = [json.loads(each.payload)["detail"] for each in targets if each.kind == kinds.INPUT_REFUSED]
    return {detail: marks.of(detail) for detail in refused}


def _folded(
    patient: str, files: Timeline, facts: Sequence[Record], left: Mapping[int, str | None], until: datetime | None
) -> tuple[Patient, list[Decided]]:
    """The patient and its decisions, as if that were left of these records."""
    gone = Redacted(0, facts[0].recorded_at, "", "", whole=True)
    kept = [
        each
        if each.sequence not in left
        else replace(each, payload=left[each.sequence] or "", redacted=gone if left[each.sequence] is None else None)
        for each in facts
    ]
    refolded = refold(patient, files, kept, until=until)
    return refolded.patient, derived(refolded)


def _check_same(
    before: tuple[Patient, list[Decided]], after: tuple[Patient, list[Decided]], told: Mapping[str, str], *, whole: bool
) -> None:
    """Raises UsageError if what is left leads to other decisions; of the `whole` of a record, to another standing."""
    if whole:
        was, becomes = _standing(before[0]), _standing(after[0])
        if was != becomes:
            raise UsageError(
                f"with nothing left of it other things would stand: {', '.join(_differing(was, becomes))}. Have its "
                "source take it back (entered-in-error), redact it without --whole, or redact the patient"
            )
        return
    was_decided = [replace(each, content=_scrubbed_content(each.content, told)) for each in before[1]]
    if was_decided != after[1]:
        raise UsageError("what would be left of it leads to other decisions: have its source correct it first")


def _standing(patient: Patient) -> dict[str, Any]:
    shown = dict(patient.snapshot())
    alerts: Any = shown.pop("alerts")
    shown.pop("events")
    return shown | {
        f"alert {each['alert_id']} ({each['rule']})": each["status"] for each in alerts if each["status"] in LIVE
    }


def _differing(was: Mapping[str, Any], becomes: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*was, *becomes} if was.get(name) != becomes.get(name))


def _scrubbed_content(content: Mapping[str, Any], told: Mapping[str, str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(scrubbed(canonical(content), told)) if told else content
    return found


def _row_after(row: PatientRow, patient: Patient, version: int) -> PatientRow:
    return patient_row(row.patient, patient, partition=row.partition, version=version)


def _scrubbed_rows(alerts: Sequence[AlertRow], told: Mapping[str, str]) -> list[AlertRow]:
    rows = [replace(each, content=scrubbed(each.content, told)) for each in alerts] if told else []
    return [row for row, each in zip(rows, alerts, strict=False) if row != each]


def _act(
    request: Request, stream: str, patient: str | None, left: Mapping[int, str | None] | None, keys: Sequence[str]
) -> NewRecord:
    """The record of a redaction. `left` null: of all that these keys had encrypted nothing is left."""
    shown = None if left is None else {str(sequence): left[sequence] for sequence in sorted(left)}
    payload = {"patient": patient, "why": request.why, "left": shown, "keys": list(keys)}
    return NewRecord(
        stream=stream, kind=kinds.RECORD_REDACTED, payload=canonical(payload), known_at=request.at, actor=request.actor
    )


def _copy_of(record: Record) -> str:
    """How the outbox names a refused message's copy: by the channel, then where it came from."""
    origin = record.origin
    return f"{QUARANTINE_CHANNEL}/{origin.topic}/{origin.partition}/{origin.offset}/" if origin else ""
