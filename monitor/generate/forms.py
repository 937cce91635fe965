"""Forms that several stories fill in."""

from __future__ import annotations

from typing import Any

from monitor.generate.course import Form


def decision(day: int, word: str, rationale: str) -> Form:
    """A signed decision: `stop`, `hold`, `restart`, `continue` or `withdraw`."""
    data = {"decision": word, "rationale": rationale, "signed_by": "inv-01"}
    return Form(day, "treatment.decided", data, hour=16, delay_hours=0)


def adverse_event(day: int, term: str, grade: int, **more: Any) -> Form:
    """An adverse event by its CTCAE term and grade; not serious, not related and not an infection unless it says so."""
    data: dict[str, Any] = {"term": term, "ctcae_grade": grade, "ctcae_version": "5.0", "laboratory": False}
    data |= {"life_threatening": False, "serious": False, "related": False, "expected": True, "infection": False}
    return Form(day, "adverse-event.reported", data | more, hour=13, delay_hours=6)


def died(day: int) -> Form:
    """The patient's death, as the registry learns of it."""
    return Form(day, "patient.status-changed", {"patient_status": "died"}, hour=8, delay_hours=12)
