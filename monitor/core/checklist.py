"""Items shared by eligibility and readiness: one verdict on the latest fact of a kind, up to a moment.

Verdicts: pass, fail, review (cannot be told from what was sent), missing; readiness adds stale; `not_applicable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from monitor.core.censored import is_above, is_below
from monitor.core.context import Context
from monitor.core.exact import times as product
from monitor.core.history import Fact
from monitor.core.rules.stop_relapse import judge as relapse_judge
from monitor.events.clinical import AdverseEventReported, DiseaseAssessed
from monitor.events.lab import Analyte, LabResulted
from monitor.events.record import RecordBlock

PASS, FAIL, REVIEW, MISSING, STALE, NOT_APPLICABLE = "pass", "fail", "review", "missing", "stale", "not_applicable"
_VERDICTS = {True: FAIL, False: PASS, None: REVIEW}  # by whether a result is beyond its limit
T = TypeVar("T", bound=RecordBlock)
_ABBREVIATIONS = ("alt", "ast", "ecog", "gvhd")


@dataclass(frozen=True, slots=True)
class Item:
    """A verdict, and the fact it rests on (None: nothing to rest on)."""

    verdict: str
    fact: Fact[RecordBlock] | None = None


def latest(facts: Sequence[Fact[T]], until: datetime) -> Fact[T] | None:
    """The latest fact effective by `until`."""
    return next((fact for fact in reversed(facts) if fact.at <= until), None)


def at_least(result: LabResulted, limit: Decimal) -> str:
    """Is the quantity at least the limit? With < or > only if that decides it."""
    return MISSING if result.quantity is None else _VERDICTS[is_below(result, limit)]


def at_most_times_upper(result: LabResulted, times: Decimal) -> str:
    """Is the quantity at most so many times the upper limit sent with it? Missing when none was sent."""
    if result.quantity is None or result.reference_high is None:
        return MISSING
    return _VERDICTS[is_above(result, product(times, result.reference_high))]


def laboratory(ctx: Context, until: datetime) -> dict[str, Item]:
    """Blood counts, liver and kidney, against the limits that eligibility and readiness share."""
    limits = ctx.protocol.eligibility

    def item(analyte: Analyte, judge: Callable[[LabResulted], str]) -> Item:
        fact = latest(ctx.labs(analyte), until)
        return Item(MISSING) if fact is None else Item(judge(fact.data), fact)

    return {
        "neutrophils": item(Analyte.NEUTROPHILS, lambda r: at_least(r, limits.neutrophils_min)),
        "platelets": item(Analyte.PLATELETS, lambda r: at_least(r, limits.platelets_min)),
        "ast": item(Analyte.AST, lambda r: at_most_times_upper(r, limits.liver_max_uln)),
        "alt": item(Analyte.ALT, lambda r: at_most_times_upper(r, limits.liver_max_uln)),
        "direct_bilirubin": item(Analyte.DIRECT_BILIRUBIN, lambda r: at_most_times_upper(r, limits.liver_max_uln)),
        "creatinine": item(Analyte.CREATININE, lambda r: at_most_times_upper(r, limits.creatinine_max_uln)),
        "creatinine_clearance": item(Analyte.CREATININE_CLEARANCE, lambda r: at_least(r, limits.clearance_min_ml_min)),
    }


def pregnancy(ctx: Context, until: datetime) -> Item:
    """Not pregnant, by the latest test; does not apply to men."""
    if ctx.enrolment is not None and ctx.enrolment.data.sex == "male":
        return Item(NOT_APPLICABLE)
    fact = latest(ctx.labs(Analyte.PREGNANCY), until)
    if fact is None or fact.data.positive is None:
        return Item(MISSING, fact)
    return Item(FAIL if fact.data.positive else PASS, fact)


def infection(ctx: Context, until: datetime) -> Item:
    """No active severe infection: passes when no such event is known."""
    severe = ctx.protocol.eligibility.severe_infection_grade
    active = [
        fact
        for fact in ctx.history.of(AdverseEventReported)
        if fact.at <= until
        and fact.data.infection
        and (fact.data.ctcae_grade or 0) >= severe
        and fact.data.outcome != "resolved"
    ]
    return Item(FAIL, active[-1]) if active else Item(PASS)


def chimerism(ctx: Context, until: datetime) -> Item:
    """Whole-marrow donor chimerism not below the stop limit."""
    fact = latest(ctx.marrow, until)
    if fact is None:
        return Item(MISSING)
    return Item(PASS if fact.data.donor_percent >= ctx.protocol.chimerism.stop_below_percent else FAIL, fact)


def relapse(ctx: Context, until: datetime) -> Item:
    """No relapse by the latest disease assessment, nor by a later blast count."""
    judge = relapse_judge(ctx.protocol)
    assessed = latest(ctx.history.of(DiseaseAssessed), until)
    counted = latest(ctx.labs(Analyte.BLOOD_BLASTS), until)
    if counted is not None and judge(counted.data) is not None and (assessed is None or assessed.at <= counted.at):
        return Item(FAIL, counted)
    if assessed is None:
        return Item(MISSING)
    return Item(FAIL if judge(assessed.data) is not None else PASS, assessed)


def verdicts(items: Mapping[str, Item]) -> dict[str, str]:
    """The verdicts alone."""
    return {name: item.verdict for name, item in items.items()}


def listed(names: Iterable[str]) -> str:
    """Items as people write them: `acute_gvhd` is acute GVHD."""
    return ", ".join(
        " ".join(word.upper() if word in _ABBREVIATIONS else word for word in name.split("_")) for name in names
    )
