"""What is given: five days of azacitidine a cycle, donor lymphocytes after them, and the decision that ends it."""

from __future__ import annotations

from typing import Any, Final

from monitor.generate.chart import Chart
from monitor.generate.course import CYCLE_DAYS, DLI_OFFSET, DOSING_DAYS, MOST_DLIS

AZACITIDINE_MG_M2: Final = "32"
DLI_LEVELS: Final = ("100000", "500000", "1000000", "2000000")  # CD3+ cells per kg of recipient weight
ANTIHISTAMINE: Final = {"name": "diphenhydramine", "class": "antihistamine", "topical": False}
ANALGESIC: Final = {"name": "paracetamol", "class": "other", "topical": False}


def treat(chart: Chart) -> None:
    """Write every dose of the course, then its end."""
    infused = 0
    starts = chart.course.cycle_starts()
    for cycle, first_day in enumerate(starts, 1):
        _azacitidine(chart, cycle, first_day)
        infused_on = first_day + chart.course.errors.dli_offset.get(infused + 1, DLI_OFFSET)
        if infused < MOST_DLIS and not chart.course.paused(infused_on):
            infused += 1
            _infusion(chart, infused, infused_on)
    if starts and not chart.course.ended:
        decide(chart, starts[-1] + CYCLE_DAYS, "complete", "planned cycles given")


def decide(chart: Chart, day: int, decision: str, rationale: str) -> None:
    """A signed decision of the investigator."""
    data = {"decision": decision, "rationale": rationale, "signed_by": "inv-01"}
    chart.write("treatment.decided", day, data, hour=16, delay_hours=0)


def _azacitidine(chart: Chart, cycle: int, first_day: int) -> None:
    errors = chart.course.errors
    for day in range(1, DOSING_DAYS + 1):
        given_on = first_day + day - 1
        if (cycle, day) in errors.missed_days or chart.course.paused(given_on):
            continue
        dose = errors.azacitidine_dose.get(cycle, AZACITIDINE_MG_M2)
        chart.write(
            "azacitidine.given", given_on, {"cycle": cycle, "day": day, "dose_mg_m2": dose}, hour=9, delay_hours=1
        )


def _infusion(chart: Chart, number: int, day: int) -> None:
    errors = chart.course.errors
    premedication = [ANALGESIC] if number in errors.unpremedicated else [ANTIHISTAMINE, ANALGESIC]
    data: dict[str, Any] = {"number": number, "cd3_per_kg": errors.dli_dose.get(number, DLI_LEVELS[number - 1])}
    chart.write("dli.infused", day, data | {"premedication": premedication}, hour=14, delay_hours=2)
