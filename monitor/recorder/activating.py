"""Which protocol file a worker decides by: the one the log says is in force, and no other.

The first start of a worker records its file by itself. From then on another file needs somebody's approval on the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from monitor.audit import kinds
from monitor.audit.batch import Batch, PatientRow
from monitor.audit.ports import AuditLog
from monitor.audit.protocols import Activation, activation_record, activations, timeline
from monitor.audit.replay import reached
from monitor.errors import ProtocolRefused, UsageError, VersionConflict
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline

FIRST: Final = "the first file of this log"
SETTLING: Final = timedelta(seconds=10)
"""A file comes into force so much later: longer than an append can take, so that what a worker was writing under the
file before it is known before it."""
LATER: Final = timedelta(microseconds=1)  # by the least that two times differ by


@dataclass(frozen=True, slots=True)
class Files:
    """The files of the log as a worker read them; `version` is that of their stream, None where none is kept."""

    timeline: Timeline
    version: int | None = None

    @property
    def expected(self) -> dict[str, int]:
        """What a batch of decisions expects of the log: that these files are still all there are."""
        return {} if self.version is None else {kinds.PROTOCOLS: self.version}


async def files_for(log: AuditLog, chosen: Protocol, *, instance: str, now: datetime) -> Files:
    """The files of the log, if `chosen` is the one activated last; the first file is recorded on the way.

    Raises ProtocolRefused if it is another, ProtocolInvalid, DatabaseUnavailable.
    """
    found = await activations(log)
    if not found:
        record = activation_record(chosen, approved_by=instance, why=FIRST, since=now)
        try:
            await log.append(Batch(recorded_at=now, records=(record,), expected={kinds.PROTOCOLS: 0}))
        except VersionConflict:  # another worker was first
            return await files_for(log, chosen, instance=instance, now=now)
        found = await activations(log)
    last = found[-1].protocol
    if last.hash != chosen.hash:
        raise ProtocolRefused(
            f"the log is under protocol {_named(last)}, and the file of the settings is {_named(chosen)}: use that "
            "one, or have this one approved (safety-monitor protocol activate FILE --approved-by WHO --why WHY)"
        )
    return Files(timeline(found, chosen), len(found))


async def activate(
    log: AuditLog, protocol: Protocol, *, approved_by: str, why: str, now: datetime, events_clock: bool
) -> Activation:
    """Record that a file comes into force a moment from `now` (the events clock: behind all that it has reached).

    Every patient is due then. A worker that is still at work with the file before it ends itself at its next batch.
    Raises UsageError for a file that cannot follow the one in force, VersionConflict if somebody else was quicker.
    """
    if not (approved_by.strip() and why.strip()):
        raise UsageError("an activation needs the one who approves it and why")
    found = await activations(log)
    if found:
        _check_succession(found[-1].protocol, protocol)
    elif (await log.head()).sequence:
        raise UsageError("this log does not say yet what it was decided by: start a worker once, it records its file")
    since = await reached(log) + LATER if events_clock else now + SETTLING
    since = max([since, *(each.since + LATER for each in found[1:])])  # the first is in force from the beginning
    record = activation_record(protocol, approved_by=approved_by, why=why, since=since)
    due = _due(await log.patients(), since)
    expected = {kinds.PROTOCOLS: len(found)}
    await log.append(Batch(recorded_at=now, records=(record,), expected=expected, patients=due))
    return (await activations(log))[-1]


def _check_succession(before: Protocol, after: Protocol) -> None:
    if after.hash == before.hash:
        raise UsageError(f"protocol {_named(after)} is in force already")
    if after.id != before.id:
        raise UsageError(f"the log is of protocol {before.id}; a file of {after.id} needs a log of its own")
    if after.version == before.version:
        raise UsageError(f"version {after.version} is in force with other content: raise the version of the file")
    if after.site_timezone != before.site_timezone:
        raise UsageError(
            f"the site's zone is {before.site_timezone} and cannot become {after.site_timezone}: all days would move"
        )


def _due(rows: Sequence[PatientRow], since: datetime) -> tuple[PatientRow, ...]:
    return tuple(replace(row, due_at=min(row.due_at or since, since)) for row in rows)


def _named(protocol: Protocol) -> str:
    return f"{protocol.id} {protocol.version} ({protocol.hash.removeprefix('sha256:')[:12]})"
