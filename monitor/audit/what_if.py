"""What another protocol file would have raised, or would raise from now on, against what was recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from monitor.audit import kinds
from monitor.audit.comparing import Compared, alerts_recorded, compare
from monitor.audit.ports import AuditLog
from monitor.audit.protocols import files_in
from monitor.audit.replay import Replay, fold_log, reached
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline


class Since(StrEnum):
    """Since when the other file is taken to be in force: always, or from the time of the replay on."""

    BEGINNING = "beginning"
    NOW = "now"


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The log under another file, and what that changes for each patient whom it concerns."""

    replay: Replay
    changes: Mapping[str, Compared]

    def to_json(self) -> dict[str, object]:
        """The shape of `simulate`, with `changes` by patient."""
        changes = {name: self.changes[name].to_json() for name in sorted(self.changes)}
        return self.replay.to_json() | {"changes": changes}


async def what_if(
    log: AuditLog,
    protocol: Protocol,
    otherwise: Protocol,
    *,
    since: Since = Since.BEGINNING,
    as_of: datetime | None = None,
    patient: str | None = None,
) -> WhatIf:
    """Fold the log as if `protocol` had been in force since the beginning, or came into force at the end of the replay.

    `otherwise`: the recorded file of a log that holds none. From now on, what has stopped stays (a change lifts no
    stop); since the beginning, a stop that the file does not know goes. Raises DatabaseUnavailable, ProtocolInvalid.
    """
    until = as_of or await reached(log)
    files = await files_in(log, otherwise)
    was = await fold_log(log, files, until=until, patient=patient)
    if since is Since.BEGINNING:
        found = await fold_log(log, Timeline(protocol), until=until, patient=patient, sweep=True)
    else:
        known = tuple(change for change in files.later if change[0] < until)
        found = await fold_log(log, Timeline(files.first, (*known, (until, protocol))), until=until, patient=patient)
    changes = {}
    for name, other in found.patients.items():
        decided = [each for each in await log.stream(kinds.alert_stream(name)) if each.known_at <= until]
        shown = [alert.to_json() for alert in other.alerts]
        before = was.patients[name].snapshot() if name in was.patients else None
        if compared := compare(alerts_recorded(decided), shown, before, other.snapshot()):
            changes[name] = compared
    return WhatIf(found, changes)
