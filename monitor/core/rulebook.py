"""All rules: what stops, and what else is found. The order of this page is of no consequence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from monitor.core.context import Context, StopRule
from monitor.core.finding import Finding, Rule
from monitor.core.rules import (
    azacitidine,
    basis_retracted,
    blood_blasts,
    data_quality,
    dli,
    dli_dose,
    dose_after_stop,
    eligibility,
    gvhd_review,
    lab_grade_4,
    monitoring,
    mrd_review,
    mrd_rising,
    pregnancy,
    restart_window,
    start_window,
    stop_acute_gvhd,
    stop_chimerism,
    stop_chronic_gvhd,
    stop_graft_rejection,
    stop_life_threatening,
    stop_overlap,
    stop_relapse,
    susar,
)

STOP_RULES: tuple[StopRule, ...] = (
    stop_life_threatening.stops,
    stop_acute_gvhd.stops,
    stop_chronic_gvhd.stops,
    stop_overlap.stops,
    stop_relapse.stops,
    stop_graft_rejection.stops,
    stop_chimerism.stops,
)

FINDERS: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    basis_retracted.find,
    dose_after_stop.find,
    mrd_rising.find,
    mrd_review.find,
    gvhd_review.find,
    restart_window.find,
    eligibility.find,
    start_window.find,
    azacitidine.find,
    dli.find,
    dli_dose.find,
    monitoring.find,
    stop_chimerism.find,
    blood_blasts.find,
    stop_graft_rejection.find,
    lab_grade_4.find,
    pregnancy.find,
    susar.find,
    data_quality.find,
)


def all_rules() -> dict[str, Rule]:
    """Every rule the modules of this package define, by id."""
    modules = {function.__module__ for function in (*STOP_RULES, *FINDERS)}
    values = (value for name in sorted(modules) for value in vars(sys.modules[name]).values())
    return {rule.id: rule for rule in sorted((v for v in values if isinstance(v, Rule)), key=lambda r: r.id)}
