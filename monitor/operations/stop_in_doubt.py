"""A stop that was told, and that a newer program does not find: it stays, and people are asked to look."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from monitor.audit import kinds
from monitor.audit.ports import AuditLog
from monitor.audit.records import Record
from monitor.operations.trouble import Trouble
from monitor.recorder.records import MONITOR

RULE: Final = "ops.stop-in-doubt"


class StopInDoubt:
    """The check: each doubt on the log. It ends when a person closes it: the monitor never settles it by itself."""

    rule = RULE

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._version = 0
        self._doubts: dict[str, Trouble] = {}

    async def troubles(self, now: datetime) -> Sequence[Trouble]:  # noqa: ARG002 - time settles none of them
        """All of them. Raises DatabaseUnavailable."""
        for record in await self._log.stream(kinds.PROGRAMS, after=self._version):
            self._version = record.version
            if record.kind == kinds.STOP_DOUBTED:
                doubted = json.loads(record.payload)
                trouble = _trouble(doubted["alert_id"], doubted["rule"], record.known_at)
                self._doubts.setdefault(trouble.item, trouble)  # what a person closed is not asked at each upgrade anew
        return list(self._doubts.values())


def closed_by(told: Sequence[Record]) -> dict[str, str]:
    """Who closed which doubt: actors by the alert in doubt, from the stream of alerts about the system. Pure."""
    doubts: dict[str, str] = {}
    actors: dict[str, str] = {}
    for record in (each for each in told if not each.gone):
        shown = json.loads(record.payload)
        alert = shown["alert"]
        if alert.get("rule") == RULE:
            doubts[alert["alert_id"]] = alert["item"]
        if shown["change"] == "resolved" and record.actor != MONITOR and alert["alert_id"] in doubts:
            actors[doubts[alert["alert_id"]]] = record.actor
    return actors


def _trouble(alert_id: str, rule: str, since: datetime) -> Trouble:
    summary = f"The stop that alert {alert_id} told of is not found by the newer rules; it stays until people decide"
    return Trouble(rule=RULE, item=alert_id, since=since, summary=summary, details={"alert": alert_id, "of": rule})
