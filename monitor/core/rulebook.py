"""All rules, and what each reads."""

from __future__ import annotations

import sys

from monitor.core.asked import Asked
from monitor.core.context import Dependency
from monitor.core.finding import Found, Rule
from monitor.core.rules import (
    azacitidine,
    basis_retracted,
    blood_blasts,
    data_quality,
    dli,
    dli_conflict,
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
    stop_criterion,
    stop_graft_rejection,
    stop_life_threatening,
    stop_overlap,
    stop_relapse,
    susar,
    window_open,
)
from monitor.core.stops import Stop
from monitor.events.treatment import AzacitidineGiven, DliInfused, TreatmentDecided

# A stop also rests on the first dose, and ends by a decision.
_COMMON: tuple[Dependency, ...] = (AzacitidineGiven, DliInfused, TreatmentDecided)
STOPS: tuple[Asked[Stop], ...] = tuple(
    Asked(module.stops, (*module.READS, *_COMMON))
    for module in (
        stop_life_threatening,
        stop_acute_gvhd,
        stop_chronic_gvhd,
        stop_overlap,
        stop_relapse,
        stop_graft_rejection,
        stop_chimerism,
    )
)

FINDERS: tuple[Asked[Found], ...] = tuple(
    Asked(module.find, module.READS)
    for module in (
        basis_retracted,
        dose_after_stop,
        mrd_rising,
        mrd_review,
        gvhd_review,
        restart_window,
        window_open,
        eligibility,
        stop_criterion,
        start_window,
        azacitidine,
        dli,
        dli_conflict,
        dli_dose,
        monitoring,
        stop_chimerism,
        blood_blasts,
        stop_graft_rejection,
        lab_grade_4,
        pregnancy,
        susar,
        data_quality,
    )
)


def all_rules() -> dict[str, Rule]:
    """Every rule the modules of this package define, by id."""
    modules = {asked.find.__module__ for asked in STOPS} | {asked.find.__module__ for asked in FINDERS}
    values = (value for name in sorted(modules) for value in vars(sys.modules[name]).values())
    return {rule.id: rule for rule in sorted((v for v in values if isinstance(v, Rule)), key=lambda r: r.id)}
