"""What one acute GVHD assessment says: grade, how sure, and whether derived and reported grades agree."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.grading import magic
from monitor.core.once import Once
from monitor.events.gvhd import AcuteGvhdAssessed, AcuteStages


@dataclass(frozen=True, slots=True)
class AcuteGrade:
    """`grade` counts (None: nothing to grade by); `lower_bound` when organs were not assessed."""

    grade: int | None
    derived: int | None
    reported: int | None
    lower_bound: bool
    possible: bool
    negative: bool
    sources_disagree: bool

    @property
    def active(self) -> bool:
        """Any acute GVHD at all."""
        return bool(self.grade)

    @property
    def mismatch(self) -> bool:
        """All organs assessed, and the site reported another grade than they give."""
        differ = None not in (self.derived, self.reported) and self.derived != self.reported
        return differ and not self.lower_bound and not self.negative

    def in_remission(self, reading: str) -> bool:
        """Is it remission by this reading (complete, or complete_or_grade_1)? A lower bound alone is none."""
        if self.negative:
            return True
        limit = 1 if reading == "complete_or_grade_1" else 0
        return self.grade is not None and self.grade <= limit and (not self.lower_bound or self.reported is not None)


@Once
def graded(assessed: AcuteGvhdAssessed) -> AcuteGrade:
    """The grade of an assessment by MAGIC: with organs missing, the higher of derived and reported."""
    given = _stages(assessed)
    seen = [stage for stage in given if stage is not None]
    derived = magic.grade(*(stage or 0 for stage in given)) if seen else None
    lower_bound = bool(seen) and len(seen) < len(magic.ORGANS)
    reported = assessed.reported_grade
    if derived is None:
        grade = reported
    elif lower_bound and reported is not None:
        grade = max(derived, reported)
    else:
        grade = derived
    negative = assessed.confidence == "negative"
    return AcuteGrade(
        grade=0 if negative else grade,
        derived=derived,
        reported=reported,
        lower_bound=lower_bound,
        possible=assessed.confidence == "possible",
        negative=negative,
        sources_disagree=assessed.findings is not None
        and (assessed.stages is None or assessed.stages.lower_gi is None)
        and magic.volume_disagrees(assessed.findings),
    )


def _stages(assessed: AcuteGvhdAssessed) -> list[int | None]:
    """The stage of each organ as it was sent; where none was, by what was found."""
    sent = assessed.stages or AcuteStages()
    found = magic.staged(assessed.findings) if assessed.findings is not None else AcuteStages()
    pairs = ((getattr(sent, organ), getattr(found, organ)) for organ in magic.ORGANS)
    return [staged if stage is None else stage for stage, staged in pairs]
