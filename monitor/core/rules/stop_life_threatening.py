"""Life-threatening complications stop treatment for good (clause stop.1).

Read as: the seriousness criterion, or a non-laboratory adverse event of CTCAE grade 4 or 5, or any grade 5. Grade 4 by
laboratory alone goes to review (`lab.grade-4`): deep cytopenia is expected under azacitidine.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.context import Context
from monitor.core.episodes import latched
from monitor.core.finding import Rule
from monitor.core.stops import Hit, Stop
from monitor.events.clinical import AdverseEventReported
from monitor.events.record import RecordBlock

RULE = Rule("stop.life-threatening", "high", "stop.1")
READS = (AdverseEventReported,)


def hit(data: RecordBlock) -> Hit | None:
    """Does this adverse event stop? Whether it is laboratory-only must be said; unsaid, it is not."""
    if not isinstance(data, AdverseEventReported):
        return None
    grade = data.ctcae_grade or 0
    if not (data.life_threatening or grade == 5 or (grade == 4 and not data.laboratory)):
        return None
    said = f"CTCAE grade {grade}" if grade else "grade not stated"
    if data.life_threatening:
        said += ", reported as life-threatening"
    return Hit(f"Adverse event, {said}", details={"grade": grade, "life_threatening": bool(data.life_threatening)})


def stops(ctx: Context) -> Iterator[Stop]:
    yield from latched(RULE, ctx.history.said(AdverseEventReported), hit, ctx, latest_before=False)
