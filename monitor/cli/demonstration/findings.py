"""What the log says after the demonstration, read with a connection that cannot write."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from monitor.audit.batch import AlertRow, PatientRow
from monitor.audit.kinds import INPUT_REFUSED, NOTICE_DELIVERED
from monitor.audit.log import SqlAuditLog
from monitor.cli.demonstration.windows import Window, read_windows
from monitor.recorder.failing import RULE as ASSESSMENT_FAILED


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused message: why, in one word and in plain words."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Findings:
    """The log's content, as far as the report shows it."""

    records: int
    patients: tuple[PatientRow, ...]
    alerts: tuple[AlertRow, ...]
    windows: tuple[Window, ...]
    refusals: tuple[Refusal, ...]
    receipts: int  # of notices that people got
    waiting: int  # notices that still wait

    def refused_by_reason(self) -> Counter[str]:
        """How many messages were refused for each reason."""
        return Counter(refusal.reason for refusal in self.refusals)

    def not_assessed(self) -> int:
        """How many alerts say that a patient could not be assessed."""
        return sum(1 for alert in self.alerts if alert.rule == ASSESSMENT_FAILED)


async def read_findings(url: str, channel: str) -> Findings:
    """Read the log at `url`; receipts are counted for `channel`. Raises MonitorError."""
    log = await SqlAuditLog.open(url, writing=False)
    refusals: list[Refusal] = []
    receipts = 0
    try:
        async for record in log.read():
            if record.kind == INPUT_REFUSED and record.stream.startswith("quarantine/"):
                content = json.loads(record.payload)
                refusals.append(Refusal(content["reason"], content["detail"]))
            elif record.kind == NOTICE_DELIVERED:
                receipts += json.loads(record.payload)["channel"] == channel
        return Findings(
            records=(await log.head()).sequence,
            patients=tuple(await log.patients()),
            alerts=tuple(await log.alerts()),
            windows=tuple([window async for window in read_windows(log)]),
            refusals=tuple(refusals),
            receipts=receipts,
            waiting=sum(backlog.pending for backlog in await log.outbox_backlog()),
        )
    finally:
        await log.close()
