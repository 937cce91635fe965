"""A protocol file in words: what each threshold and each reading makes the monitor do, and how two files differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pydantic import BaseModel

from monitor.protocol.model import Protocol

Choices = Mapping[str, str]

# One sentence a field; {} is its value. Where the trial record can be read in several ways, one sentence a reading.
SENTENCES: Final[Mapping[str, str | Choices]] = {
    "start.first_day": "Before D+{} the first dose is too early.",
    "start.undisputed_until_day": "After D+{} the first dose meets the record's contradiction.",
    "start.last_day": "After D+{} the first dose is too late.",
    "acute_gvhd.stop_grade": {
        "2": "Acute GVHD stops treatment from grade II: 'above II degree' includes the number.",
        "3": "Acute GVHD stops treatment from grade III: 'above II degree' excludes grade II, which goes to review.",
    },
    "chronic_gvhd.stop_severity": {
        "moderate": "Chronic GVHD stops treatment from moderate: 'above moderate' includes the word.",
        "severe": "Chronic GVHD stops treatment when severe: 'above moderate' excludes moderate, which goes to review.",
    },
    "overlap.stop_severity": {
        "any": "An overlap syndrome of any severity stops treatment.",
        "moderate": "An overlap syndrome stops treatment from moderate chronic GVHD.",
    },
    "restart.unit": {
        "days": "'1 to 2 months' are days 30 to 60 after discontinuation.",
        "calendar_months": "'1 to 2 months' are one to two calendar months after discontinuation.",
        "cycle_days": "'1 to 2 months' are days 28 to 56 after discontinuation, one to two treatment cycles.",
    },
    "restart.remission": {
        "complete": "Remission of acute GVHD is complete: no organ affected, or reported grade 0.",
        "complete_or_grade_1": "Remission of acute GVHD is complete or grade I.",
    },
    "restart.closing_notice_days": "Notice that the restart window closes comes {} days before its end.",
    "mrd.reference": {
        "nadir": "An MRD rise is held against the lowest result of the series since transplant.",
        "previous": "An MRD rise is held against the result before it in the series.",
        "baseline": "An MRD rise is held against the first result of the series since transplant.",
    },
    "mrd.rise_factor": "MRD has risen when it is strictly more than {} times the reference.",
    "mrd.parallel_series_days": "MRD series of one target begun within {} days of each other run in parallel.",
    "mrd.confirmation_days": "An MRD rise or conversion by qPCR is to be confirmed within {} times 24 hours.",
    "mrd.results_to_close": "{} evaluable MRD results in a row below the cut-off end an episode.",
    "relapse.blast_percent": "Blasts of {}% or more in marrow or blood are relapse.",
    "chimerism.stop_below_percent": "Donor chimerism below {0}% in whole marrow stops treatment; {0}% itself does not.",
    "chimerism.falling_points": "Donor chimerism {} points or more below its highest since transplant is falling.",
    "laboratory.grade_4_neutrophils_below": "Neutrophils below {} x 10*9/L are grade 4.",
    "laboratory.grade_4_platelets_below": "Platelets below {} x 10*9/L are grade 4.",
    "laboratory.grade_4_transaminase_above_uln": "AST or ALT above {} times the upper limit of normal is grade 4.",
    "laboratory.grade_4_bilirubin_above_uln": "Total bilirubin above {} times the upper limit of normal is grade 4.",
    "laboratory.grade_4_creatinine_above_uln": "Creatinine above {} times the upper limit of normal is grade 4.",
    "azacitidine.dose_mg_m2": "Azacitidine is planned at {} mg/m2 a day.",
    "azacitidine.tolerance_percent": "A dose of azacitidine may be off by {}%.",
    "azacitidine.days": "A cycle of azacitidine has {} consecutive days.",
    "azacitidine.cycle_days": "Cycles of azacitidine begin at least {} days apart.",
    "azacitidine.late_after_days": "A cycle is late more than {} days after the last one began.",
    "azacitidine.cycles": "At most {} cycles of azacitidine are planned.",
    "dli.hours_after_azacitidine": "A DLI comes at least {} hours after the last azacitidine.",
    "dli.days_after_azacitidine": "Where only days are known, a DLI comes at least {} days after the last azacitidine.",
    "dli.interval_min_days": "DLIs are at least {} days apart.",
    "dli.interval_max_days": "A DLI is late more than {} days after the last.",
    "dli.planned_doses": "Reminders ask for up to {} DLIs.",
    "dli.maximum_doses": "At most {} DLIs are given.",
    "dli.levels_cd3_per_kg": "The levels of a DLI reach up to {} CD3+ cells per kg.",
    "dli.tolerance_percent": "A DLI may exceed its level by {}%.",
    "dli.steroid_free_hours": "No systemic corticosteroid is given in the {} hours before a DLI.",
    "dli.conflict_days": "A DLI due within {} days of azacitidine is a conflict of schedule.",
    "monitoring.chimerism_days": "Marrow chimerism older than {} days is overdue.",
    "monitoring.mrd_days": "MRD older than {} days is overdue.",
    "monitoring.gvhd_days": "A GVHD assessment older than {} days is overdue.",
    "monitoring.requested_marrow_days": "A marrow asked for is overdue after {} days.",
    "susar.fatal_or_life_threatening_days": "A fatal or life-threatening SUSAR is reported within {} calendar days.",
    "susar.other_days": "Any other SUSAR is reported within {} calendar days.",
    "susar.reminder_days": "The reminder of a SUSAR comes {} days before it is due.",
    "eligibility.age_min_years": "The age at enrolment is at least {} years.",
    "eligibility.age_max_years": "The age at enrolment is at most {} years.",
    "eligibility.ecog_max": "ECOG performance status is at most {}.",
    "eligibility.neutrophils_min": "Neutrophils are at least {} x 10*9/L.",
    "eligibility.platelets_min": "Platelets are at least {} x 10*9/L.",
    "eligibility.liver_max_uln": "AST, ALT and direct bilirubin are at most {} times their upper limit.",
    "eligibility.creatinine_max_uln": "Creatinine is at most {} times its upper limit.",
    "eligibility.clearance_min_ml_min": "Creatinine clearance is at least {} mL/min.",
    "eligibility.severe_infection_grade": "An infection is severe from CTCAE grade {}.",
    "eligibility.acute_gvhd_fails_from_grade": "Acute GVHD of MAGIC grade {} or higher at enrolment excludes.",
    "eligibility.chronic_gvhd_fails_from_severity": {
        "mild": "Any chronic GVHD at enrolment excludes.",
        "moderate": "Moderate or severe chronic GVHD at enrolment excludes.",
        "severe": "Severe chronic GVHD at enrolment excludes.",
    },
    "readiness.stale_days": "An item of the readiness list is stale after {} days.",
    "readiness.marrow_stale_days": "Marrow and disease on the readiness list are stale after {} days.",
    "readiness.gvhd_stale_days": "GVHD on the readiness list is stale after {} days.",
    "site_timezone": "Local days are those of {}.",
    "title": "The trial is: {}.",
    "id": "The protocol is {}.",
    "version": "The version of the file is {}.",
}

# How else the record can be read where the monitor offers no switch for it.
OTHERWISE: Final[Mapping[str, str]] = {
    "start.undisputed_until_day": "One of the record's two start windows holds alone.",
    "dli.hours_after_azacitidine": "The DLI comes exactly then, or the hours count from the first dose of the cycle.",
    "dli.steroid_free_hours": "Steroids are banned for the whole period, not only before a DLI.",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs between two files, as each says it."""

    field: str
    before: str
    after: str


def fields(protocol: Protocol) -> dict[str, object]:
    """Every value of the file by its dotted name."""
    return dict(_leaves("", protocol))


def _leaves(prefix: str, section: BaseModel) -> Iterator[tuple[str, object]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _leaves(f"{prefix}{name}.", value)
        elif isinstance(value, dict):
            yield from ((f"{prefix}{name}.{key}", text) for key, text in value.items())
        else:
            yield f"{prefix}{name}", value


def sentence(field: str, value: object) -> str:
    """What this value of this field makes the monitor do."""
    if field.startswith("clauses."):
        return f"The record's words for {field.removeprefix('clauses.')}: {value}"
    said = SENTENCES[field]
    return said[str(value)] if not isinstance(said, str) else said.format(_shown(value))


def alternatives(field: str, value: object) -> list[str]:
    """The other readings of a clause that can be read in several ways; none for a plain threshold."""
    said = SENTENCES.get(field, "")
    if isinstance(said, str):
        return [OTHERWISE[field]] if field in OTHERWISE else []
    return [other for key, other in said.items() if key != str(value)]


def stamped(reading: str) -> tuple[str, list[str]]:
    """What an alert's stamp ("restart.unit: days") says in words, and its alternatives; a strange one as it stands."""
    field, _, value = reading.partition(": ")
    try:
        return sentence(field, value), alternatives(field, value)
    except KeyError:
        return reading, []


def readings(protocol: Protocol) -> dict[str, str]:
    """The chosen reading of every clause that can be read in several ways."""
    chosen = fields(protocol)
    return {name: sentence(name, chosen[name]) for name, said in SENTENCES.items() if not isinstance(said, str)}


def thresholds(protocol: Protocol) -> dict[str, str]:
    """Every other value that the rules apply."""
    ruled = (item for item in fields(protocol).items() if "." in item[0] and not item[0].startswith("clauses."))
    return {name: sentence(name, value) for name, value in ruled if isinstance(SENTENCES[name], str)}


def differences(before: Protocol, after: Protocol) -> list[Change]:
    """What changes from one file to the other, in the file's order; empty if they say the same."""
    old, new = fields(before), fields(after)
    return [
        Change(name, _said(name, old), _said(name, new)) for name in {**old, **new} if old.get(name) != new.get(name)
    ]


def _said(name: str, values: Mapping[str, object]) -> str:
    return sentence(name, values[name]) if name in values else "(not there)"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_shown, value))
    return f"{value:,f}" if isinstance(value, Decimal) else str(value)
