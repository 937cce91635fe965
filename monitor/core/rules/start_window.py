"""The day of the first dose of either drug, counted from the transplant (clause dosing.1).

The record names two windows, to D+120 and to D+180: between them it is `start.window-conflict`.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.finding import Finding, Rule
from monitor.core.rules.runs import single
from monitor.core.stops import Hit
from monitor.events.patient import PatientEnrolled
from monitor.events.treatment import AzacitidineGiven, DliInfused

TOO_EARLY = Rule("start.too-early", "medium", "dosing.1", review=True)
CONFLICT = Rule("start.window-conflict", "medium", "dosing.1", review=True, reading="start.undisputed_until_day")
TOO_LATE = Rule("start.too-late", "medium", "dosing.1", review=True)
READS = (AzacitidineGiven, DliInfused, PatientEnrolled)


def find(ctx: Context) -> Iterator[Finding]:
    dose, d0, limits = ctx.first_dose, ctx.d0, ctx.protocol.start
    if dose is None or d0 is None:
        return
    day = (dose.on - d0).days
    if day < limits.first_day:
        rule, said = TOO_EARLY, f"before D+{limits.first_day}"
    elif day > limits.last_day:
        rule, said = TOO_LATE, f"after D+{limits.last_day}"
    elif day > limits.undisputed_until_day:
        rule, said = (
            CONFLICT,
            f"the record says both D+{limits.undisputed_until_day} and D+{limits.last_day} at the latest",
        )
    else:
        return
    hit = Hit(f"First dose on D+{day}: {said}", details={"value": str(day), "unit": "d"})
    yield single(rule, dose, hit, also=(ctx.enrolment.key,) if ctx.enrolment else ())
