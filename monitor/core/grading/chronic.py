"""What one chronic GVHD assessment says: severity, how sure, and whether it is an explicit "none"."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.grading import nih
from monitor.core.once import Once
from monitor.events.gvhd import ChronicGvhdAssessed


@dataclass(frozen=True, slots=True)
class ChronicSeverity:
    """`severity` counts: none, mild, moderate, severe, or None when only presence is known."""

    severity: nih.Severity | None
    derived: nih.Severity | None
    reported: nih.Severity | None
    lower_bound: bool
    contradictory: bool
    present: bool | None
    sign_missing: bool
    overlap: bool

    @property
    def active(self) -> bool:
        """Any chronic GVHD at all."""
        return self.present is True or self.severity not in (None, "none")

    @property
    def explicit_none(self) -> bool:
        """Said in so many words, nothing left out: what the restart window asks for."""
        said = self.present is False or self.severity == "none"
        return said and not self.active and not self.lower_bound and not self.overlap

    @property
    def mismatch(self) -> bool:
        """All organs scored, and the site reported something else than they give."""
        differs = None not in (self.derived, self.reported) and self.derived != self.reported
        return not self.lower_bound and (differs or self.contradictory)

    def at_least(self, severity: nih.Severity) -> bool:
        return self.severity is not None and nih.rank(self.severity) >= nih.rank(severity)


@Once
def judged(assessed: ChronicGvhdAssessed) -> ChronicSeverity:
    """The severity of an assessment by NIH 2014; a missing organ counts as 0 and never as "no cGVHD"."""
    scores = assessed.organ_scores or {}
    seen = {organ: score for organ, score in scores.items() if score is not None}
    zeros: dict[str, int] = dict.fromkeys(nih.ORGANS, 0)
    derived = nih.severity(zeros | {str(organ): score for organ, score in seen.items()}) if seen else None
    lower_bound = bool(seen) and len(seen) < len(nih.ORGANS)
    reported = assessed.reported_severity
    severity: nih.Severity | None
    if derived is None:
        severity = reported or ("none" if assessed.present is False else None)
    elif lower_bound and reported is not None:
        severity = derived if nih.rank(derived) >= nih.rank(reported) else reported
    else:
        severity = derived
    affected = severity not in (None, "none")
    return ChronicSeverity(
        severity=severity,
        derived=derived,
        reported=reported,
        lower_bound=lower_bound,
        contradictory=(assessed.present is True and severity == "none") or (assessed.present is False and affected),
        present=assessed.present,
        sign_missing=assessed.diagnostic_sign is False and (affected or assessed.present is True),
        overlap=assessed.overlap is True,
    )
