"""Too much of what one source sends cannot be read: people are called, and everything else goes on.

What comes without a readable source is held against all that comes on its topic.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from monitor.audit.batch import SourceRow
from monitor.audit.sources import HOUR, hour_of, in_window
from monitor.operations.naming import named
from monitor.operations.trouble import Trouble

RULE: Final = "ops.quarantine-share"
MOST: Final = 20  # alerts of their own: somebody who makes up sources shall not flood people


class Sources(Protocol):
    """The log, as this check sees it."""

    async def sources(self, *, heard_from: datetime) -> Sequence[SourceRow]:
        """The sources that sent at or after a time, those with most refused first."""


class QuarantineShare:
    """The check: `share` of a source's messages, of at least `minimum` refused, in this hour and the one before."""

    rule = RULE

    def __init__(self, log: Sources, *, share: float, minimum: int) -> None:
        self._log = log
        self._share = share
        self._minimum = minimum

    async def troubles(self, now: datetime) -> Sequence[Trouble]:
        """Each source whose share is passed. Raises DatabaseUnavailable."""
        rows = await self._log.sources(heard_from=hour_of(now) - HOUR)
        return spoilt(rows, now, share=self._share, minimum=self._minimum)


def spoilt(rows: Sequence[SourceRow], now: datetime, *, share: float, minimum: int) -> list[Trouble]:
    """The sources of which more than a share is refused, the worst first. Pure."""
    counts = [(row, *in_window(row, now)) for row in rows]
    of_topic = Counter[str]()
    for row, read, refused in counts:
        of_topic[row.topic] += read + refused
    bad = []
    for row, read, refused in counts:
        whole = read + refused if row.source else of_topic[row.topic]
        if refused >= minimum and refused > share * whole:
            bad.append((refused, whole, row))
    bad.sort(key=lambda each: (-each[0], each[2].topic, each[2].source))
    since = hour_of(now) - HOUR
    troubles = [_trouble(row, refused, whole, since) for refused, whole, row in bad[:MOST]]
    return troubles + ([_others(len(bad) - MOST, since)] if len(bad) > MOST else [])


def _trouble(row: SourceRow, refused: int, whole: int, since: datetime) -> Trouble:
    whose = f"from {named(row.source)} " if row.source else ""
    unknown = "" if row.source else "; whose they were cannot be read either"
    when = "in this hour and the one before"
    return Trouble(
        rule=RULE,
        item=f"{row.topic} {row.source}".strip(),
        since=since,
        summary=f"{refused} of {whole} messages {whose}on {row.topic} could not be read, {when}{unknown}",
        details={"topic": row.topic, "source": named(row.source), "refused": refused, "messages": whole},
    )


def _others(number: int, since: datetime) -> Trouble:
    summary = f"{number} more sources send much that cannot be read, in this hour and the one before"
    return Trouble(rule=RULE, item="others", since=since, summary=summary, details={"sources": number})
