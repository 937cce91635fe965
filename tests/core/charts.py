"""Patients' charts for tests: events in the words of the ward, days counted from the transplant."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.patient import Entry, Patient
from monitor.events.codec import decode
from monitor.events.envelope import Received, Refused
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline

SITE = ZoneInfo("Asia/Shanghai")
LOCAL = timezone(timedelta(hours=8))
D0 = datetime(2025, 1, 1, 9, tzinfo=LOCAL)
PROTOCOL = Protocol.load()
NO_ORGAN = {"skin": 0, "mouth": 0, "eyes": 0, "gi": 0, "liver": 0, "lung": 0, "joints": 0, "genital": 0}


def on_day(day: float) -> datetime:
    """09:00 local on D+`day`."""
    return D0 + timedelta(days=day)


def on_date(day: int) -> str:
    """The local day D+`day`, where the hour is not known."""
    return on_day(day).date().isoformat()


def message(
    kind: str, record: str, at_day: float, /, *, issued: float | None = None, version: int = 1, **data: Any
) -> bytes:
    """One event as it comes over the wire, effective on D+`day`, issued an hour later or on D+`issued`."""
    time = on_day(at_day) + timedelta(hours=1) if issued is None else on_day(issued)
    body = {"record_id": record, "record_version": version, "effective_at": on_day(at_day).isoformat(), **data}
    envelope = {
        "specversion": "1.0",
        "id": f"{record}-{version}-{time.isoformat()}",
        "source": "/ward",
        "type": f"safety.{kind}.v1",
        "subject": "SH-001",
        "time": time.isoformat(),
        "data": body,
    }
    return json.dumps(envelope).encode()


def enrolled(day: float = 80, **more: Any) -> bytes:
    form = {
        "hct_date": D0.date().isoformat(),
        "donor_type": "haploidentical",
        "graft_source": "peripheral_blood",
        "conditioning": "busulfan_myeloablative",
        "high_risk": True,
        "sex": "female",
        "birth_year": 1980,
        "ecog": 1,
        "complete_remission": True,
        "consent_at": on_day(day).date().isoformat(),
    }
    return message("patient.enrolled", "enrolment", day, **{**form, **more})


def azacitidine(day: float, cycle: int = 1, record: str | None = None, **more: Any) -> bytes:
    return message("azacitidine.given", record or f"aza-{day}", day, cycle=cycle, day=1, dose_mg_m2=32, **more)


def dli(day: float, cells: str = "1e5", record: str | None = None, **more: Any) -> bytes:
    premedication = [{"name": "promethazine", "class": "antihistamine"}]
    return message(
        "dli.infused", record or f"dli-{day}", day, **{"cd3_per_kg": cells, "premedication": premedication, **more}
    )


def marrow(day: float, percent: str, record: str | None = None, **more: Any) -> bytes:
    return message(
        "chimerism.resulted",
        record or f"chimerism-{day}",
        day,
        **{"donor_percent": percent, "unit": "%", "specimen": "bone_marrow", "lineage": "whole", **more},
    )


def mrd(day: float, value: str | None, record: str | None = None, **more: Any) -> bytes:
    """By qPCR, cut-off 0.01 %; no value: undetected below 0.001 %."""
    result: dict[str, Any] = {"assay": "qpcr", "target": "NPM1", "specimen": "bone_marrow", "positive_cutoff": "0.01"}
    result |= {"value": "0.001", "comparator": "<"} if value is None else {"value": value, "detected": True}
    return message("mrd.resulted", record or f"mrd-{day}", day, **{**result, "lod": "0.001", **more})


def acute(day: float, skin: int | None = 0, liver: int | None = 0, record: str | None = None, **more: Any) -> bytes:
    stages = {"skin": skin, "liver": liver, "upper_gi": 0, "lower_gi": 0}
    return message(
        "gvhd.acute-assessed", record or f"acute-{day}", day, **{"stages": stages, "confidence": "confirmed", **more}
    )


def chronic(day: float, record: str | None = None, **more: Any) -> bytes:
    """Explicitly none, unless said otherwise."""
    data = {"present": False, "organ_scores": NO_ORGAN, "overlap": False, "diagnostic_sign": True, **more}
    return message("gvhd.chronic-assessed", record or f"chronic-{day}", day, **data)


def decided(day: float, decision: str, signed_by: str | None = "pi", record: str | None = None, **more: Any) -> bytes:
    return message(
        "treatment.decided", record or f"decision-{day}", day, decision=decision, signed_by=signed_by, **more
    )


def command(kind: str, alert_id: str, day: float, **more: Any) -> bytes:
    envelope = {
        "specversion": "1.0",
        "id": f"{kind}-{alert_id}-{day}",
        "source": "/ward",
        "type": f"safety.alert.{kind}.v1",
        "subject": "SH-001",
        "time": on_day(day).isoformat(),
        "data": {"alert_id": alert_id, "actor": "officer-1", "note": "seen", **more},
    }
    return json.dumps(envelope).encode()


@dataclass
class Chart:
    """Given these messages, read in this order with the clock of a simulation; then look at the patient."""

    messages: Iterable[bytes]
    until: float
    protocol: Protocol | Timeline = PROTOCOL
    patient: Patient = field(init=False)

    def __post_init__(self) -> None:
        self.patient = fold(self.messages, on_day(self.until), self.protocol)

    @property
    def live(self) -> set[tuple[str, str]]:
        """(rule, effective_at) of what is neither withdrawn nor resolved."""
        return {(a.rule, str(a.to_json()["effective_at"])) for a in self.patient.alerts if a.live}

    @property
    def states(self) -> tuple[Any, ...]:
        shown = self.patient.snapshot()
        return shown["protocol_state"], shown["treatment_state"], shown["restart_window"], shown["eligibility"]

    @property
    def window(self) -> Any:
        return self.patient.snapshot()["restart_window"]

    def alerts(self, rule: str) -> list[Any]:
        return [alert for alert in self.patient.alerts if alert.rule == rule]

    def statuses(self, rule: str) -> list[str]:
        return [alert.status for alert in self.alerts(rule)]


def read(raw: bytes) -> Received | Refused:
    event = decode(raw, site_timezone=SITE)
    assert isinstance(event, Received | Refused)
    return event


def fold(messages: Iterable[bytes], until: datetime, protocol: Protocol | Timeline = PROTOCOL) -> Patient:
    """Read messages in the order given; the clock never goes back."""
    patient, clock = Patient.new("SH-001", protocol), datetime(2000, 1, 1, tzinfo=UTC)
    for raw in messages:
        event = read(raw)
        if event.time is not None and event.time > until:
            continue
        clock = max(clock, event.time or clock)
        patient, _ = patient.advance(clock, sweep=True)
        patient, _ = patient.receive(Entry(event, clock))
    return patient.advance(until, sweep=True)[0]
