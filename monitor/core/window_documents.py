"""What opens a restart window: remission and an explicit "no cGVHD", both written down since the stop (clause stop.2).

Each counts from where it was first said, for as long as nothing gainsays it; what leaves it open neither says it nor
gainsays it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.core.context import Context
from monitor.core.grading.acute import graded
from monitor.core.grading.chronic import judged
from monitor.core.history import Fact, T_co
from monitor.core.sequences import between
from monitor.core.stops import Stop
from monitor.core.times import precedes
from monitor.events.gvhd import AcuteGvhdAssessed, ChronicGvhdAssessed
from monitor.events.record import RecordBlock

_Run = list[tuple[datetime, Fact[RecordBlock] | None]]


@dataclass(frozen=True, slots=True)
class Written:
    """What was written down since a stop: from when on remission, and absence of cGVHD, are said without a break."""

    remission: _Run
    absence: _Run
    looked_at: datetime | None  # for chronic GVHD, first

    @classmethod
    def since(cls, stop: Stop, until: datetime, ctx: Context) -> Written:
        """What was written down from the stop to an instant, that instant included."""
        start, reading = ctx.start_of(ctx.on(stop.first.effective)), ctx.protocol.restart.remission
        improved = between(ctx.history.of(AcuteGvhdAssessed), start, until)
        improved = tuple(f for f in improved if precedes(stop.first.effective, f.effective, ctx.tz))
        looked = between(ctx.history.of(ChronicGvhdAssessed), start, until)
        looked = tuple(f for f in looked if assessed_since(stop, f, ctx))
        remission = _unbroken(improved, lambda data: _says_remission(data, reading))
        return cls(remission, _unbroken(looked, _says_none), looked[0].at if looked else None)

    def documented(self, at: datetime) -> list[Fact[RecordBlock]]:
        """Where the two, as of an instant, were first written down."""
        return [start for run in (self.remission, self.absence) if (start := _as_of(run, at)) is not None]


def documented_by(stop: Stop, at: datetime, ctx: Context) -> list[Fact[RecordBlock]]:
    """Where remission and "no cGVHD", both since the stop and neither gainsaid after, were first written down."""
    return Written.since(stop, at, ctx).documented(at)


def assessed_since(stop: Stop, fact: Fact[T_co], ctx: Context) -> bool:
    """Was it assessed since the stop? Not on an earlier day, where either has only a date."""
    return not precedes(fact.effective, stop.first.effective, ctx.tz)


def _unbroken(course: Sequence[Fact[RecordBlock]], says: Callable[[RecordBlock], bool | None]) -> _Run:
    """After each of these facts: where it was first said, if it is still said."""
    found: _Run = []
    run: Fact[RecordBlock] | None = None
    for fact in course:
        said = {says(version.data) for version in fact.record.contents_of_latest}
        if False in said:
            run = None
        elif said == {True} and not fact.preliminary:
            run = run or fact
        found.append((fact.at, run))
    return found


def _as_of(run: _Run, at: datetime) -> Fact[RecordBlock] | None:
    known = bisect_right(run, at, key=lambda pair: pair[0])
    return run[known - 1][1] if known else None


def _says_remission(data: RecordBlock, reading: str) -> bool | None:
    """Remission, active disease, or neither: organs not assessed leave it open."""
    if not isinstance(data, AcuteGvhdAssessed):
        return None
    verdict = graded(data)
    if verdict.in_remission(reading):
        return True
    beyond = 1 if reading == "complete_or_grade_1" else 0
    return False if verdict.grade is not None and verdict.grade > beyond else None


def _says_none(data: RecordBlock) -> bool | None:
    """An explicit "no cGVHD", active disease, or neither: a form not filled in is not a "none"."""
    if not isinstance(data, ChronicGvhdAssessed):
        return None
    verdict = judged(data)
    if verdict.explicit_none:
        return True
    return False if verdict.active or verdict.overlap else None
