"""The calendar of visits: what is looked at how often, from the first dose to the end of follow-up."""

from __future__ import annotations

from typing import Final

from monitor.generate.chart import Chart
from monitor.generate.course import CYCLE_DAYS, Check
from monitor.generate.disease import chimerism, marrow, qpcr
from monitor.generate.gvhd import assess_acute, assess_chronic
from monitor.generate.laboratory import chemistry, counts, pregnancy

CLINIC_EVERY: Final = 14  # days between two assessments of graft-versus-host disease under treatment
MARROW_EVERY: Final = 49  # results take up to five days, and sixty days without one are too many
FOLLOW_UP_EVERY: Final = 91  # once treatment is over


def visit(chart: Chart) -> None:
    """Write all visits of the course; under treatment they are close, afterwards far apart."""
    starts = chart.course.cycle_starts()
    over = starts[-1] + CYCLE_DAYS if starts else chart.course.starts_on
    pauses_end = [ends for _, ends in chart.course.pauses if ends is not None]
    over = max([over, *pauses_end])
    for day in range(chart.course.starts_on - 1, over, CLINIC_EVERY):
        _clinic(chart, day, first=(day - chart.course.starts_on + 1) % CYCLE_DAYS == 0)
    for day in range(chart.course.starts_on - 3, over, MARROW_EVERY):
        marrow(chart, day)
    for day in range(over + 28, chart.course.last_day - 7, FOLLOW_UP_EVERY):
        _follow_up(chart, day)
    for day, check in chart.course.checks:
        _look(chart, day, check)


def _look(chart: Chart, day: int, check: Check) -> None:
    match check:
        case Check.ACUTE:
            assess_acute(chart, day)
        case Check.CHRONIC:
            assess_chronic(chart, day)
        case Check.MARROW:
            marrow(chart, day)
        case Check.CHIMERISM:
            chimerism(chart, day)
        case Check.QPCR:
            qpcr(chart, day)
        case Check.BLOOD:
            counts(chart, day)
            chemistry(chart, day)
            pregnancy(chart, day)


def _clinic(chart: Chart, day: int, *, first: bool) -> None:
    assess_acute(chart, day)
    counts(chart, day, nadir=not first)
    if first:
        assess_chronic(chart, day)
    if first and (day - chart.course.starts_on + 1) % (2 * CYCLE_DAYS) == 0:
        chemistry(chart, day)


def _follow_up(chart: Chart, day: int) -> None:
    counts(chart, day)
    assess_acute(chart, day)
    assess_chronic(chart, day)
    marrow(chart, day)
