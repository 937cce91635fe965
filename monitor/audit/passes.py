"""The passes of `verify` that a worker makes by itself, as records of the log (EU GMP Annex 11, 9: regular review)."""

import json
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.ports import AuditLog
from monitor.audit.records import NewRecord, Record
from monitor.audit.verdict import Verdict
from monitor.events.canonical import canonical


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass: when it began, how far it came, and what is wrong, if anything is.

    `whole_log`: from the first record, and not only what is new. `broken_at`: the first record that does not hold.
    """

    at: datetime
    whole_log: bool
    records: int
    checkpoints: int
    decisions: int
    seconds: float
    broken_at: int | None = None
    what: str | None = None


def pass_of(verdict: Verdict, *, at: datetime, whole_log: bool, seconds: float) -> Pass:
    """The pass that ended so. Its words name no patient: they go into notices."""
    broken_at, what = None, None
    if verdict.broken is not None:
        broken_at, what = verdict.broken.sequence, verdict.broken.what
    elif verdict.tampered:
        wrong = [each.sequence for each in verdict.differs if not each.newer]
        broken_at = min((sequence for sequence in wrong if sequence is not None), default=verdict.records)
        what = f"{len(wrong)} decisions are not those that their facts lead to"
    return Pass(at, whole_log, verdict.records, verdict.checkpoints, verdict.decisions, seconds, broken_at, what)


def pass_record(done: Pass, *, instance: str) -> NewRecord:
    """Its record; the actor is the worker."""
    payload = {
        "whole_log": done.whole_log,
        "records": done.records,
        "checkpoints": done.checkpoints,
        "decisions": done.decisions,
        "seconds": f"{done.seconds:.1f}",
        "broken_at": done.broken_at,
        "what": done.what,
    }
    return NewRecord(
        stream=kinds.VERIFICATIONS,
        kind=kinds.LOG_VERIFIED,
        payload=canonical(payload),
        known_at=done.at,
        actor=instance,
    )


class Passes:
    """Follows the passes that are on the log, whichever worker made them.

    `whole`: the last one over the whole log. `broken`: the last one that found something, until one over the whole log
    finds nothing; `broken_since`: when that was first found.
    """

    def __init__(self, log: AuditLog) -> None:
        self.whole: Pass | None = None
        self.broken: Pass | None = None
        self.broken_since: datetime | None = None
        self._log = log
        self._version = 0

    async def follow(self) -> None:
        """Take what is new. Raises DatabaseUnavailable."""
        for record in await self._log.stream(kinds.VERIFICATIONS, after=self._version):
            self._version = record.version
            self._take(_read(record))

    def _take(self, done: Pass) -> None:
        if done.whole_log:
            self.whole = done
        if done.broken_at is not None:
            self.broken, self.broken_since = done, self.broken_since or done.at
        elif done.whole_log:
            self.broken = self.broken_since = None


def _read(record: Record) -> Pass:
    shown = json.loads(record.payload)
    return Pass(at=record.known_at, **shown | {"seconds": float(shown["seconds"])})
