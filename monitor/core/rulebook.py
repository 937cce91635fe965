"""All rules, and what each reads: one is asked again only when what it reads has changed or its time has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

from monitor.core.context import Context, Dependency
from monitor.core.finding import Found, Rule
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
    stop_criterion,
    stop_graft_rejection,
    stop_life_threatening,
    stop_overlap,
    stop_relapse,
    susar,
)
from monitor.core.stops import Stop
from monitor.events.treatment import AzacitidineGiven, DliInfused, TreatmentDecided

T = TypeVar("T", Stop, Found)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a rule said, on what (`read`), and until when nothing but a fact can change it."""

    read: tuple[object, ...]
    found: tuple[T, ...]
    deadlines: tuple[datetime, ...]

    def holds(self, read: tuple[object, ...], now: datetime) -> bool:
        return self.read == read and not any(deadline <= now for deadline in self.deadlines)


@dataclass(frozen=True)
class Asked(Generic[T]):
    """A rule's function and what it reads."""

    find: Callable[[Context], Iterator[T]]
    reads: tuple[Dependency, ...]

    @cached_property
    def name(self) -> str:
        return f"{self.find.__module__}.{self.find.__name__}"

    def answer(self, ctx: Context, last: Answer[T] | None) -> Answer[T]:
        """The last answer while it holds, else a new one."""
        read = tuple([ctx.read(name) for name in self.reads])
        if last is not None and last.holds(read, ctx.now):
            return last
        ctx.deadlines.clear()
        found = tuple(self.find(ctx))
        return Answer(read, found, tuple(at for at in ctx.deadlines if at > ctx.now))


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
        eligibility,
        stop_criterion,
        start_window,
        azacitidine,
        dli,
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
