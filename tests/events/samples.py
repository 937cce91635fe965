"""One valid event of every type, and the means to vary it: what the tests of this package are given."""

import copy
import json
from typing import Any
from zoneinfo import ZoneInfo

from monitor.events.codec import decode
from monitor.events.envelope import ClockAdvanced, Received, Refused

SITE = ZoneInfo("Asia/Shanghai")
TIME = "2025-06-12T03:20:11Z"

ORGANS = ("skin", "mouth", "eyes", "gi", "liver", "lung", "joints", "genital")

SAMPLES: dict[str, dict[str, Any]] = {
    "safety.patient.enrolled.v1": {
        "hct_date": "2025-01-01",
        "donor_type": "haploidentical",
        "graft_source": "peripheral_blood",
        "conditioning": "busulfan_myeloablative",
        "high_risk": True,
        "sex": "female",
        "birth_year": 1980,
        "weight_kg": "60.5",
        "height_cm": 165,
        "ecog": 1,
        "complete_remission": True,
        "consent_at": "2025-03-22",
    },
    "safety.patient.status-changed.v1": {"patient_status": "withdrawn"},
    "safety.lab.resulted.v1": {
        "code": "751-8",
        "specimen": "blood",
        "value": "1200",
        "comparator": None,
        "unit": "/uL",
        "ref_low": "1800",
        "ref_high": "6300",
        "lab": "central",
    },
    "safety.mrd.resulted.v1": {
        "assay": "qpcr",
        "target": "NPM1",
        "specimen": "bone_marrow",
        "value": "0.0037",
        "unit": "%",
        "detected": True,
        "lod": "0.001",
        "loq": "0.003",
        "positive_cutoff": "0.01",
        "reference_copies": 25000,
        "adequate": True,
        "lab": "hemepath",
        "method_version": "m1",
    },
    "safety.chimerism.resulted.v1": {
        "donor_percent": "0.97",
        "unit": "1",
        "specimen": "bone_marrow",
        "lineage": "whole",
        "method": "str",
    },
    "safety.gvhd.acute-assessed.v1": {
        "stages": {"skin": 2, "liver": 0, "upper_gi": None, "lower_gi": 0},
        "findings": {"skin_bsa_percent": "30", "total_bilirubin_mg_dl": 1.2, "ileus": False},
        "reported_grade": "II",
        "confidence": "probable",
        "onset_at": "2025-06-10",
        "systemic_steroids": False,
    },
    "safety.gvhd.chronic-assessed.v1": {
        "present": True,
        "organ_scores": {organ: 1 if organ == "mouth" else 0 for organ in ORGANS},
        "reported_severity": "mild",
        "overlap": False,
        "diagnostic_sign": True,
    },
    "safety.adverse-event.reported.v1": {
        "term": "Septic shock",
        "ctcae_grade": 4,
        "ctcae_version": "5.0",
        "laboratory": False,
        "life_threatening": True,
        "serious": True,
        "related": None,
        "expected": False,
        "infection": True,
        "onset_at": "2025-06-11T22:00:00+08:00",
        "aware_at": "2025-06-12T08:00:00+08:00",
        "outcome": "not_resolved",
    },
    "safety.disease.assessed.v1": {
        "marrow_blast_percent": "5.0",
        "blood_blast_percent": 0,
        "extramedullary": False,
        "relapse": False,
    },
    "safety.graft.assessed.v1": {"rejection": False, "failure": "poor_function"},
    "safety.azacitidine.given.v1": {"cycle": 1, "day": 5, "dose_mg_m2": 32},
    "safety.dli.infused.v1": {
        "number": 1,
        "cd3_per_kg": "1e5",
        "premedication": [{"name": "promethazine", "class": "antihistamine", "topical": False}],
    },
    "safety.medication.given.v1": {
        "name": "prednisone",
        "systemic_corticosteroid": True,
        "intensification": False,
    },
    "safety.treatment.decided.v1": {"decision": "restart", "rationale": "in remission", "signed_by": "pi"},
    "safety.alert.acknowledged.v1": {"alert_id": "al-1", "actor": "officer", "note": "seen"},
    "safety.alert.shelved.v1": {
        "alert_id": "al-1",
        "actor": "officer",
        "note": "repeat ordered",
        "until": "2025-06-13T09:00:00+08:00",
    },
    "safety.alert.resolved.v1": {"alert_id": "al-1", "actor": "officer", "note": "confirmed"},
}

BLOCK = {
    "record_id": "rec-1",
    "record_version": 1,
    "status": "final",
    "effective_at": "2025-06-12T09:00:00+08:00",
    "reported_by": "nurse-7",
}


def sample(name: str, **changes: Any) -> dict[str, Any]:
    """A valid event of the type, its data changed. `...` takes a field away."""
    data = copy.deepcopy(SAMPLES[name])
    if not name.startswith("safety.alert."):
        data = {**BLOCK, **data}
    data = {field: value for field, value in {**data, **changes}.items() if value is not ...}
    return {
        "specversion": "1.0",
        "id": "delivery-1",
        "source": "/shgh/lis",
        "type": name,
        "subject": "SH-017",
        "time": TIME,
        "datacontenttype": "application/json",
        "data": data,
    }


def opened(event: dict[str, Any] | bytes | str, **how: Any) -> Received | Refused | ClockAdvanced:
    raw = json.dumps(event).encode() if isinstance(event, dict) else event
    return decode(raw.encode() if isinstance(raw, str) else raw, site_timezone=SITE, **how)


def received(event: dict[str, Any] | bytes | str, **how: Any) -> Received:
    result = opened(event, **how)
    assert isinstance(result, Received), result
    return result


def fact(event: dict[str, Any] | bytes | str, **how: Any) -> Any:
    """The data of a valid event."""
    return received(event, **how).data


def refused(event: dict[str, Any] | bytes | str, **how: Any) -> Refused:
    result = opened(event, **how)
    assert isinstance(result, Refused), result
    return result


def lab(code: str, value: Any, unit: Any = ..., **changes: Any) -> dict[str, Any]:
    base = {"ref_low": ..., "ref_high": ...} | changes
    return sample("safety.lab.resulted.v1", code=code, value=value, unit=unit, **base)
