"""A source that used to send sends nothing any more: no news is not good news, and nothing else would say so."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from monitor.audit.batch import SourceRow
from monitor.operations.naming import named
from monitor.operations.trouble import Trouble

RULE: Final = "ops.source-silent"
REGULAR: Final = 10  # messages: who sent fewer is not missed
LISTENING: Final = timedelta(minutes=15)
"""After its start a worker first reads what waited for it; only then does silence mean anything."""
MOST: Final = 20  # alerts of their own, as for the quarantine

DAY: Final = 86_400.0
SILENT_AFTER: Final[Mapping[str, float]] = {
    "safety.lab": 3 * DAY,  # a long weekend; on treatment somebody has blood taken every week
    "safety.clinical": 14 * DAY,
    "safety.gvhd": 14 * DAY,  # assessed at each visit
    "safety.treatment": 14 * DAY,  # cycles are of 28 days, and patients are not in step
    "safety.chimerism": 42 * DAY,
    "safety.mrd": 42 * DAY,
}
"""Seconds, by topic. Enrolments and commands come when they come: nobody misses them by the clock."""


class Sources(Protocol):
    """The log, as this check sees it."""

    async def sources(self, *, heard_until: datetime, read_ever: int) -> Sequence[SourceRow]:
        """The sources that last sent before a time, of whom so many messages could be read."""


class SourceSilent:
    """The check. `after`: seconds by topic, over the defaults; 0 switches it off for that topic."""

    rule = RULE

    def __init__(self, log: Sources, *, after: Mapping[str, float], since: datetime) -> None:
        """`since`: when this worker began to listen."""
        self._log = log
        self._after = {
            topic: timedelta(seconds=seconds) for topic, seconds in {**SILENT_AFTER, **after}.items() if seconds
        }
        self._listening_at = since + LISTENING

    async def troubles(self, now: datetime) -> Sequence[Trouble]:
        """Each source that has been silent for too long. Raises DatabaseUnavailable."""
        if now < self._listening_at or not self._after:
            return ()
        rows = await self._log.sources(heard_until=now - min(self._after.values()), read_ever=REGULAR)
        return silent(rows, now, self._after)


def silent(rows: Sequence[SourceRow], now: datetime, after: Mapping[str, timedelta]) -> list[Trouble]:
    """The sources that have sent regularly and not for so long, those that fell silent last first. Pure."""
    missed = [
        row
        for row in rows
        if row.source and row.read_ever >= REGULAR and row.topic in after and now - row.last_at > after[row.topic]
    ]
    missed.sort(key=lambda row: (-row.last_at.timestamp(), row.topic, row.source))
    troubles = [_trouble(row, after[row.topic]) for row in missed[:MOST]]
    return troubles + ([_others(missed[MOST:])] if len(missed) > MOST else [])


def _trouble(row: SourceRow, after: timedelta) -> Trouble:
    return Trouble(
        rule=RULE,
        item=f"{row.topic} {row.source}",
        since=row.last_at,
        summary=f"Nothing has come from {named(row.source)} on {row.topic} for {_spoken(after)} and more",
        priority="medium",
        details={"topic": row.topic, "source": named(row.source)},
    )


def _others(rows: Sequence[SourceRow]) -> Trouble:
    summary = f"{len(rows)} more sources have sent nothing for too long"
    return Trouble(rule=RULE, item="others", since=rows[0].last_at, summary=summary, priority="medium")


def _spoken(span: timedelta) -> str:
    days, seconds = span.days, span.seconds
    if days:
        return "a day" if days == 1 else f"{days} days"
    hours = seconds // 3600
    return "an hour" if hours == 1 else f"{hours} hours" if hours else f"{seconds // 60} minutes"
