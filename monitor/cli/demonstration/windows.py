"""The restart windows of a demonstration: the log says who has one, a replay of that patient says what it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from monitor.audit.ports import AuditLog
from monitor.audit.replay import replay
from monitor.protocol.model import Protocol


@dataclass(frozen=True, slots=True)
class Window:
    """A patient's restart window, days as they print."""

    patient: str
    state: str
    t0: str
    provisional: bool
    opens_on: str
    closes_on: str
    protocol_state: str


async def read_windows(log: AuditLog) -> AsyncIterator[Window]:
    """The windows of all patients who have one, by patient. Raises MonitorError."""
    protocol = Protocol.load(None)
    for row in await log.patients():
        if row.restart_window is None:
            continue
        replayed = (await replay(log, protocol, patient=row.patient)).patients[row.patient].snapshot()
        window = replayed["restart_window"]
        if isinstance(window, dict):
            yield Window(
                patient=row.patient,
                state=window["state"],
                t0=window["t0"],
                provisional=window["provisional"],
                opens_on=window["opens_on"],
                closes_on=window["closes_on"],
                protocol_state=str(replayed["protocol_state"]),
            )
