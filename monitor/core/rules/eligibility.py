"""Inclusion and exclusion criteria, by facts effective up to the end of the enrolment day.

Judged anew at each fact until the first dose, then kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from monitor.core.checklist import (
    FAIL,
    MISSING,
    PASS,
    REVIEW,
    Item,
    chimerism,
    infection,
    laboratory,
    listed,
    pregnancy,
    relapse,
    verdicts,
)
from monitor.core.context import Context
from monitor.core.finding import Finding, Rule
from monitor.core.history import Fact
from monitor.core.rules.runs import single
from monitor.core.stops import Hit
from monitor.core.times import precedes
from monitor.events.patient import PatientEnrolled

FAILED = Rule("eligibility.failed", "medium", "inclusion, exclusion", review=True)
INCOMPLETE = Rule("eligibility.incomplete", "low", "inclusion, exclusion")
READS = (PatientEnrolled, "eligibility")


def evaluate(ctx: Context) -> dict[str, str]:
    """The verdict of every criterion; empty before enrolment."""
    enrolment = ctx.enrolment
    if enrolment is None:
        return {}
    until = ctx.start_of(enrolment.on + timedelta(days=1)) - timedelta(microseconds=1)
    items = {
        **_enrolled(enrolment, ctx),
        **laboratory(ctx, until),
        "acute_gvhd": _acute(ctx, until),
        "chronic_gvhd": _chronic(ctx, until),
        "relapse": relapse(ctx, until),
        "chimerism": chimerism(ctx, until),
        "infection": infection(ctx, until),
        "pregnancy": pregnancy(ctx, until),
    }
    return verdicts(items)


def find(ctx: Context) -> Iterator[Finding]:
    if ctx.enrolment is None or ctx.eligibility is None:
        return
    by_verdict = {
        v: sorted(name for name, verdict in ctx.eligibility.items() if verdict == v) for v in (FAIL, REVIEW, MISSING)
    }
    if by_verdict[FAIL] or by_verdict[REVIEW]:
        said = "Eligibility: " + "; ".join(
            f"{word} {listed(by_verdict[verdict])}"
            for verdict, word in ((FAIL, "failed"), (REVIEW, "to be reviewed"))
            if by_verdict[verdict]
        )
        yield single(
            FAILED, ctx.enrolment, Hit(said, details={"failed": by_verdict[FAIL], "review": by_verdict[REVIEW]})
        )
    if by_verdict[MISSING]:
        said = f"Eligibility: nothing known of {listed(by_verdict[MISSING])}"
        yield single(INCOMPLETE, ctx.enrolment, Hit(said, details={"missing": by_verdict[MISSING]}))


def _enrolled(enrolment: Fact[PatientEnrolled], ctx: Context) -> dict[str, Item]:
    """What the enrolment form itself says."""
    form, limits = enrolment.data, ctx.protocol.eligibility

    def must(value: object, wanted: object) -> Item:
        return Item(MISSING if value is None else PASS if value == wanted else FAIL, enrolment)

    return {
        "age": Item(_age(form.birth_year, enrolment, ctx), enrolment),
        "donor": must(form.donor_type, "haploidentical"),
        "graft": must(form.graft_source, "peripheral_blood"),
        "conditioning": must(form.conditioning, "busulfan_myeloablative"),
        "high_risk": must(form.high_risk, True),
        "ecog": Item(MISSING if form.ecog is None else PASS if 0 <= form.ecog <= limits.ecog_max else FAIL, enrolment),
        "remission": must(form.complete_remission, True),
        "consent": _consent(enrolment, ctx),
    }


def _age(birth_year: int | None, enrolment: Fact[PatientEnrolled], ctx: Context) -> str:
    """By the year of birth alone two ages are possible: they decide only where they agree."""
    if birth_year is None:
        return MISSING
    limits, age = ctx.protocol.eligibility, enrolment.on.year - birth_year
    possible = {limits.age_min_years <= years <= limits.age_max_years for years in (age - 1, age)}
    return REVIEW if len(possible) == 2 else PASS if True in possible else FAIL


def _consent(enrolment: Fact[PatientEnrolled], ctx: Context) -> Item:
    given = enrolment.data.consent_at
    if given is None:
        return Item(MISSING, enrolment)
    return Item(
        FAIL if precedes(enrolment.effective, given, ctx.tz) and ctx.on(given) > enrolment.on else PASS, enrolment
    )


def _acute(ctx: Context, until: datetime) -> Item:
    """None passes; any grade goes to review, since the record contradicts itself; from the limit on it fails."""
    known = [pair for pair in ctx.acute if pair[0].at <= until]
    if not known or known[-1][1].grade is None:
        return Item(MISSING)
    fact, grade = known[-1]
    if (grade.grade or 0) >= ctx.protocol.eligibility.acute_gvhd_fails_from_grade:
        return Item(FAIL, fact)
    return Item(PASS if grade.in_remission("complete") else REVIEW, fact)


def _chronic(ctx: Context, until: datetime) -> Item:
    known = [pair for pair in ctx.chronic if pair[0].at <= until]
    if not known:
        return Item(MISSING)
    fact, severity = known[-1]
    if severity.at_least(ctx.protocol.eligibility.chronic_gvhd_fails_from_severity):
        return Item(FAIL, fact)
    doubtful = severity.lower_bound or severity.severity is None or severity.contradictory or severity.overlap
    return Item(REVIEW if doubtful else PASS, fact)
