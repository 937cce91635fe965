"""A patient as of a clinical time, by all that is known now: what was so then, not what was known then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from monitor.core.assess import assess, find_stops
from monitor.core.fold import Before, Raised
from monitor.core.ledger import Ledger
from monitor.core.patient import Patient
from monitor.core.reconcile import Stamp, reconcile
from monitor.core.times import instant

_WHENEVER: Final = datetime.max.replace(tzinfo=UTC)


def as_of_clinical_time(patient: Patient, at: datetime) -> Patient:
    """The patient with the facts effective by `at` alone, assessed once as of then.

    Alerts keep their identity and what people did with them; those effective later, and those that are not so by what
    is known now, are left out.
    """
    fold = patient.fold
    if fold.now is None or at >= fold.now:
        return patient
    known = fold.history.known_before(_WHENEVER, at)
    stops = find_stops(known, fold.protocol, at, None, fold.files.superseded(fold.now))
    before = Before(fold.ledger)
    memory = replace(fold.memory, retractions=tuple(r for r in fold.memory.retractions if r.at <= at))
    told = Raised(fold.ledger, fold.now)
    assessment = assess(known, fold.protocol, at, stops=stops, memory=memory, raised_at=told)
    stamp = Stamp(patient.patient_id, fold.protocol, at, before.raised_at)
    alerts = [
        alert
        for alert in reconcile(fold.ledger.without_findings(), (), assessment.findings, stamp).alerts.values()
        if alert.status != "withdrawn" and instant(alert.effective_at, known.tz) <= at
    ]
    return replace(
        patient,
        fold=replace(fold, history=known, now=at, ledger=Ledger().with_alerts(alerts), assessment=assessment),
        withdrawn={},
    )
