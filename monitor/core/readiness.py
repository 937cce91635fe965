"""The readiness list of an open restart window: it advises, it never closes the window (clause stop.2)."""

from __future__ import annotations

from datetime import date, timedelta

from monitor.core.checklist import (
    FAIL,
    MISSING,
    NOT_APPLICABLE,
    PASS,
    REVIEW,
    STALE,
    Item,
    chimerism,
    infection,
    laboratory,
    latest,
    pregnancy,
    relapse,
)
from monitor.core.context import Context, Dependency
from monitor.events.chimerism import ChimerismResulted
from monitor.events.clinical import AdverseEventReported, DiseaseAssessed
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.lab import Analyte
from monitor.events.patient import PatientEnrolled
from monitor.events.treatment import MedicationGiven

# What the list is made of.
READINESS: tuple[Dependency, ...] = (
    PatientEnrolled,
    AcuteGvhdAssessed,
    ChronicGvhdAssessed,
    ChimerismResulted,
    DiseaseAssessed,
    AdverseEventReported,
    MedicationGiven,
    Analyte.NEUTROPHILS,
    Analyte.PLATELETS,
    Analyte.AST,
    Analyte.ALT,
    Analyte.DIRECT_BILIRUBIN,
    Analyte.CREATININE,
    Analyte.CREATININE_CLEARANCE,
    Analyte.PREGNANCY,
    Analyte.BLOOD_BLASTS,
)
_MARROW = ("chimerism", "relapse")
_GVHD = ("acute_gvhd", "chronic_gvhd")


def readiness(ctx: Context) -> dict[str, str]:
    """Verdict of each item now; stale by local days since the fact was so."""
    items = {
        **laboratory(ctx, ctx.now),
        "infection": infection(ctx, ctx.now),
        "pregnancy": pregnancy(ctx, ctx.now),
        "chimerism": chimerism(ctx, ctx.now),
        "relapse": relapse(ctx, ctx.now),
        "acute_gvhd": _acute(ctx),
        "chronic_gvhd": _chronic(ctx),
        "steroids": _steroids(ctx),
    }
    return {name: _fresh(name, item, ctx) for name, item in items.items()}


def _fresh(name: str, item: Item, ctx: Context) -> str:
    limits = ctx.protocol.readiness
    days = (
        limits.marrow_stale_days if name in _MARROW else limits.gvhd_stale_days if name in _GVHD else limits.stale_days
    )
    settled = item.verdict in (MISSING, NOT_APPLICABLE) or name == "infection"  # an infection lasts until it resolves
    if settled or item.fact is None:
        return item.verdict
    return STALE if _older(item.fact.on, days, ctx) else item.verdict


def _older(day: date, days: int, ctx: Context) -> bool:
    """Is it more than so many days ago? If not yet, the day it will be is a deadline."""
    return ctx.day_reached(day + timedelta(days=days + 1))


def _acute(ctx: Context) -> Item:
    known = [pair for pair in ctx.acute if pair[0].at <= ctx.now]
    if not known:
        return Item(MISSING)
    fact, grade = known[-1]
    if grade.grade is None:
        return Item(REVIEW, fact)
    return Item(PASS if grade.in_remission(ctx.protocol.restart.remission) else FAIL if grade.active else REVIEW, fact)


def _chronic(ctx: Context) -> Item:
    known = [pair for pair in ctx.chronic if pair[0].at <= ctx.now]
    if not known:
        return Item(MISSING)
    fact, severity = known[-1]
    return Item(PASS if severity.explicit_none else FAIL if severity.active else REVIEW, fact)


def _steroids(ctx: Context) -> Item:
    """No systemic steroids: by the latest acute assessment that says, and by what was given lately."""
    given = latest([f for f in ctx.history.of(MedicationGiven) if f.data.systemic_corticosteroid], ctx.now)
    said = [fact for fact, _ in ctx.acute if fact.at <= ctx.now and fact.data.systemic_steroids is not None]
    if given is not None and not _older(given.on, ctx.protocol.readiness.stale_days, ctx):
        return Item(FAIL, given)
    if given is not None and (not said or said[-1].at <= given.at):
        return Item(STALE, given)  # whether they were stopped since nobody has said
    if not said:
        return Item(MISSING)
    return Item(FAIL if said[-1].data.systemic_steroids else PASS, said[-1])
