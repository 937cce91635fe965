"""`verify`: is the log whole, and are its decisions those its facts lead to? Trusts nothing that was stored."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.checker import Broken, Checker
from monitor.audit.clock import clocks
from monitor.audit.decisions import Difference, derived, differences, latest, recorded
from monitor.audit.integrity import PAGE, check_log
from monitor.audit.ports import AuditLog, Streams
from monitor.audit.proof.anchors import Anchors
from monitor.audit.protocols import activations, timeline
from monitor.audit.records import Record
from monitor.audit.redactions import check, unreadable
from monitor.audit.refold import refold
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline

Rest = Callable[[], Awaitable[None]]


async def _no_rest() -> None:
    """For whoever has nothing else to do."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verify found. `broken` is the first broken record; with it, decisions are not looked at.

    `undecided` counts patients whose decisions cannot be derived again: made under another protocol file, or by an
    assessment that fails. `redacted` counts records, `erased` patients of whom facts or decisions were erased whole:
    the others' decisions follow from what was left. `checkpoints` counts those that the log was held against.
    `upgraded`: another version of the program decided some of it. `returned` counts redacted records that can be read
    again, since a backup brought back their keys.
    """

    records: int = 0
    checkpoints: int = 0
    patients: int = 0
    decisions: int = 0
    broken: Broken | None = None
    differs: tuple[Difference, ...] = ()
    undecided: int = 0
    redacted: int = 0
    returned: int = 0
    erased: int = 0
    upgraded: bool = False

    @property
    def tampered(self) -> bool:
        """Is a record broken, or a decision other than this very program makes of its facts?"""
        return self.broken is not None or any(not difference.newer for difference in self.differs)


async def verify(
    log: AuditLog,
    protocol: Protocol,
    progress: Callable[[int], None] | None = None,
    anchors: Anchors | None = None,
    *,
    since: int = 0,
    checker: Checker | None = None,
    size: int = PAGE,
    rest: Rest = _no_rest,
) -> Verdict:
    """Check the whole log, then every patient's decisions. `progress` is told the number of records done.

    Decisions are derived under the files that the log holds; `protocol` is the one for a log that holds none.
    `anchors`: the checkpoints it must agree with. `since`: the size of one that is trusted; of the records it counts
    the leaves alone are looked at, and decisions of those patients who have newer ones. `checker`: goes on from where
    it stands. `rest` is awaited after each page of `size` records and after each patient, by whoever has other work.

    What is appended meanwhile is left to the next run. Raises DatabaseUnavailable, SchemaMissing.
    """
    swept = clocks(await log.positions())
    checker = checker or Checker()
    async for found in check_log(log, checker, anchors or Anchors(), since=since, size=size):
        if isinstance(found, Broken):
            return Verdict(records=checker.head.sequence, broken=found)
        if progress is not None:
            progress(found)
        await rest()
    redactions = check(await log.erasures(), until=checker.head.sequence)
    if redactions.broken is not None:
        return Verdict(records=checker.head.sequence, broken=redactions.broken)
    decided = await check_decisions(log, protocol, checker.streams, until=checker.head.sequence, swept=swept, rest=rest)
    return replace(
        decided,
        records=checker.head.sequence,
        checkpoints=checker.checkpoints,
        redacted=redactions.redacted,
        returned=redactions.returned,
    )


async def check_decisions(
    log: Streams,
    protocol: Protocol,
    streams: Iterable[str],
    *,
    until: int,
    swept: Mapping[int, datetime],
    rest: Rest = _no_rest,
) -> Verdict:
    """Hold the decisions of all patients of these streams, up to sequence `until`, against those derived again.

    `swept`: how far the events clock of each partition has come. Each patient is derived in a thread, so that the loop
    goes on.
    """
    activated = await activations(log)
    files = timeline(activated, protocol)
    hashes = {file.hash for file in files.files} | {each.hash for each in activated}
    verdict = Verdict()
    names = {kinds.patient_of(stream) or kinds.patient_of_alert(stream) for stream in streams}
    for patient in sorted(name for name in names if name is not None):
        facts = _up_to(until, await log.stream(kinds.patient_stream(patient)))
        decided = _up_to(until, await log.stream(kinds.alert_stream(patient)))
        if (broken := unreadable([*facts, *decided])) is not None:
            return replace(verdict, broken=broken)
        clock = _clock_of(facts, swept)
        found = await asyncio.to_thread(check_patient, patient, files, hashes, facts, decided, clock)
        verdict = replace(
            verdict,
            patients=verdict.patients + 1,
            decisions=verdict.decisions + found.decisions,
            differs=verdict.differs + found.differs,
            undecided=verdict.undecided + found.undecided,
            erased=verdict.erased + found.erased,
            upgraded=verdict.upgraded or found.upgraded,
        )
        await rest()
    return _excused(verdict) if verdict.upgraded else verdict


def _excused(verdict: Verdict) -> Verdict:
    """What the program before did not decide has no stamp: that it is missing is no sign of a changed log."""
    differs = tuple(replace(each, newer=each.newer or each.sequence is None) for each in verdict.differs)
    return replace(verdict, differs=differs)


def check_patient(
    patient: str,
    files: Timeline,
    hashes: Collection[str],
    facts: Sequence[Record],
    decided: Sequence[Record],
    swept: datetime | None,
) -> Verdict:
    """Hold one patient's recorded decisions against those derived again.

    `hashes`: those of the files, as this program and as the log has them. `swept`: how far its events clock has come.
    """
    if any(record.gone for record in (*facts, *decided)):
        return Verdict(erased=1)
    try:
        found = recorded(decided)
    except (ValueError, KeyError, TypeError):
        what = "a record of the stream is not an alert's change"
        return Verdict(differs=(Difference(patient, "?", decided[0].sequence, what, newer=False),))
    if any(change.protocol is not None and change.protocol not in hashes for change in found):
        return Verdict(undecided=1)
    until = max((at for at in (swept, latest(decided)) if at is not None), default=None)
    try:
        expected = derived(refold(patient, files, facts, until=until))
    except Exception:  # a mistake in a rule: the recorder has called somebody; the others are checked
        return Verdict(undecided=1)
    return Verdict(
        decisions=len(found),
        differs=tuple(differences(patient, found, expected)),
        upgraded=any(change.by_other_rules for change in found),
    )


def _clock_of(facts: Sequence[Record], swept: Mapping[int, datetime]) -> datetime | None:
    origins = [record.origin for record in facts if record.origin is not None]
    return swept.get(origins[-1].partition) if origins else None


def _up_to(sequence: int, records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.sequence <= sequence]
