"""What could not be used as sent: conflicts, refused messages, unsigned decisions. A human must mend the source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from monitor.core.context import Context
from monitor.core.finding import Evidence, Finding, Rule
from monitor.core.history import RecordKey
from monitor.core.rules.runs import single
from monitor.core.stops import Hit
from monitor.events.chimerism import ChimerismResulted
from monitor.events.clinical import AdverseEventReported, DiseaseAssessed, GraftAssessed
from monitor.events.envelope import Reason, Refused
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.lab import LabResulted
from monitor.events.mrd import MrdResulted
from monitor.events.patient import PatientEnrolled, StatusChanged
from monitor.events.record import RecordBlock
from monitor.events.treatment import AzacitidineGiven, DliInfused, MedicationGiven, TreatmentDecided

CONFLICT = Rule("data.conflict", "medium", "practice", review=True)
UNIT_UNKNOWN = Rule("data.unit-unknown", "medium", "practice", review=True)
IMPLAUSIBLE = Rule("data.implausible", "medium", "practice", review=True)
REFUSED = Rule("data.refused", "medium", "practice", review=True)
UNSIGNED = Rule("data.unsigned-decision", "medium", "practice", review=True)
_RULES = {Reason.UNIT_UNKNOWN: UNIT_UNKNOWN, Reason.UNIT_MISMATCH: UNIT_UNKNOWN, Reason.IMPLAUSIBLE: IMPLAUSIBLE}
READS = ("history",)
CALLED: Mapping[type[RecordBlock], str] = {
    PatientEnrolled: "an enrolment",
    StatusChanged: "a patient's status",
    LabResulted: "a laboratory result",
    MrdResulted: "an MRD result",
    ChimerismResulted: "a chimerism result",
    AcuteGvhdAssessed: "an assessment of acute GVHD",
    ChronicGvhdAssessed: "an assessment of chronic GVHD",
    AdverseEventReported: "an adverse event",
    DiseaseAssessed: "an assessment of the disease",
    GraftAssessed: "an assessment of the graft",
    AzacitidineGiven: "a dose of azacitidine",
    DliInfused: "a DLI",
    MedicationGiven: "a medication",
    TreatmentDecided: "a decision on treatment",
}
"""What people call each kind of record."""


def find(ctx: Context) -> Iterator[Finding]:
    yield from _conflicts(ctx)
    for fact in ctx.history.of(TreatmentDecided):
        if not fact.data.signed_by:
            said = f"A decision ({fact.data.decision}) without a signature changes nothing"
            yield single(UNSIGNED, fact, Hit(said, details={"value": fact.data.decision}))
    if ctx.enrolment is not None:
        yield from _refusals(ctx)


def _conflicts(ctx: Context) -> Iterator[Finding]:
    """Two contents under one version; settled when a higher version comes."""
    for record in (ctx.history.records[key] for key in ctx.history.revised):
        for number in sorted({v.number for v in record.versions}):
            contents = [v for v in record.versions if v.number == number]
            settled = [v for v in contents if not v.preliminary] or contents
            if len(settled) < 2:
                continue
            counts = settled[0]
            record_is = CALLED[type(counts.data)]
            evidence = Evidence(
                key=record.key,
                effective=counts.data.effective_at,
                at=ctx.instant(counts.data.effective_at),
                issued=settled[-1].time,
                summary=f"Version {number} of {record_is} was sent with {len(settled)} different contents",
                details={"value": str(number)},
            )
            superseded = "later_result" if record.versions[-1].number > number else None
            yield Finding(CONFLICT, (evidence,), item=f"{record.key[0]}/{record.key[1]}/{number}", outcome=superseded)


def _refusals(ctx: Context) -> Iterator[Finding]:
    """One alert for each record and reason that was refused, until a higher version of it is accepted."""
    found: dict[tuple[str, RecordKey], list[Evidence]] = {}
    for known_at, refused in ctx.history.refusals:
        if _mended(refused, known_at, ctx):
            continue
        effective = refused.effective_at or refused.time or known_at
        key = (refused.source or "", refused.record_id or refused.id or refused.delivery_key[:16])
        rule = _RULES.get(refused.reason, REFUSED)
        evidence = Evidence(
            key=key,
            effective=effective,
            at=ctx.instant(effective),
            issued=known_at,
            summary=f"A message was refused and not used: {refused.detail}",
            details={"value": refused.reason.value},
        )
        found.setdefault((rule.id, key), []).append(evidence)
    for (rule_id, key), evidence_list in found.items():
        rule = next(r for r in (UNIT_UNKNOWN, IMPLAUSIBLE, REFUSED) if r.id == rule_id)
        first = min(evidence_list, key=lambda e: (e.at, e.issued, e.summary))
        yield Finding(rule, (first,), item=f"{key[0]}/{key[1]}")


def _mended(refused: Refused, known_at: datetime, ctx: Context) -> bool:
    """Was a higher version of the refused record accepted? Of an unreadable version: any that was issued later.

    Or was this very message read again, and could be read?
    """
    if refused.delivery_key in ctx.history.readmitted:
        return True
    if refused.source is None or refused.record_id is None:
        return False
    record = ctx.history.records.get((refused.source, refused.record_id))
    if record is None:
        return False
    if refused.record_version is None:
        return any(version.time > known_at for version in record.versions)
    return record.versions[-1].number > refused.record_version
