"""A patient's alerts under newer rules than they were decided by: what is to be told of it. Pure.

A newer program may find what the older one did not, and not find what the older one did. The first is told as if it had
just come. The second ends, and whoever was told is told; but a stop ends by a physician's decision alone, so one that
newer rules do not find stays as it is, and people are asked to look.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.batch import AlertRow
from monitor.audit.core_version import CORE_VERSION
from monitor.audit.decisions import recorded
from monitor.audit.records import NewRecord, Record
from monitor.core.alert import Alert, Change, ChangeKind
from monitor.core.patient import Patient
from monitor.events.canonical import canonical
from monitor.recorder.records import MONITOR

_STOPS = ("stop.", "treatment.dose-after-stop")


@dataclass(frozen=True, slots=True)
class Anew:
    """What an assessment by the program that runs now changes of what was decided; `doubted` are stops it leaves."""

    changes: tuple[Change, ...] = ()
    doubted: tuple[Alert, ...] = ()

    def doubts(self, now: datetime) -> tuple[NewRecord, ...]:
        """A record for each stop that newer rules do not find; recorded once for each program."""
        return tuple(_doubt(alert, now) for alert in self.doubted)


def assessed_anew(patient: Patient, decided: Sequence[Record], now: datetime) -> Anew:
    """Hold the patient's alerts, as this program folds them, against those of the `alert/` stream.

    Raises ValueError, KeyError or TypeError for a record that is none of ours.
    """
    before = {each.alert_id: Alert.from_json(each.content, patient.patient_id) for each in recorded(decided)}
    after = {alert.alert_id: alert for alert in patient.alerts}
    changes, doubted = [], []
    for reference in sorted({*before, *after}):
        was, alert = before.get(reference), after.get(reference)
        if was is None:
            changes += [Change("raised", alert, None, now)] if alert is not None and alert.live else []
        elif was.live and not (alert is not None and alert.live):
            if was.rule.startswith(_STOPS) and not _goes_on(was, after):
                doubted.append(was)
            else:
                changes.append(_ended(was, alert, now))
        elif alert is not None and alert.live and (change := _followed(was, alert, now)) is not None:
            changes.append(change)
    return Anew(tuple(changes), tuple(doubted))


def closed(row: AlertRow, now: datetime) -> Change:
    """The end of a stop that newer rules do not find, by the word of a person."""
    before = Alert.from_json(json.loads(row.content), row.patient)
    details = {**before.details, "outcome": "person"}
    after = dataclasses.replace(before, status="resolved", revision=before.revision + 1, details=details)
    return Change("resolved", after, before, now)


def _goes_on(was: Alert, after: Mapping[str, Alert]) -> bool:
    """Does the stop stand under another reference, by a fact it rested on?"""
    return any(alert.live and alert.rule == was.rule and set(alert.basis) & set(was.basis) for alert in after.values())


def _ended(was: Alert, alert: Alert | None, now: datetime) -> Change:
    if alert is not None and alert.status == "resolved":
        return Change("resolved", _next(was, alert), was, now)
    return Change("withdrawn", dataclasses.replace(was, status="withdrawn", revision=was.revision + 1), was, now)


def _followed(was: Alert, alert: Alert, now: datetime) -> Change | None:
    after = _next(was, alert)
    if dataclasses.replace(after, revision=was.revision).to_json() == was.to_json():
        return None
    kind: ChangeKind = "raised" if not was.live else "revised"
    return Change("escalated" if was.live and _answered(was) and not _answered(after) else kind, after, was, now)


def _next(was: Alert, alert: Alert) -> Alert:
    return dataclasses.replace(alert, raised_at=was.raised_at, revision=was.revision + 1)


def _answered(alert: Alert) -> bool:
    return alert.status in {"acknowledged", "shelved"}


def _doubt(alert: Alert, now: datetime) -> NewRecord:
    payload = {"patient": alert.patient, "alert_id": alert.alert_id, "rule": alert.rule, "core": CORE_VERSION}
    return NewRecord(
        stream=kinds.PROGRAMS,
        kind=kinds.STOP_DOUBTED,
        payload=canonical(payload),
        known_at=now,
        actor=MONITOR,
        dedupe_key=f"doubt/{alert.alert_id}/{CORE_VERSION}",
    )
