"""Every patient's recorded decisions, held against those that the facts lead to."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, TypeVarTuple

from monitor.audit import kinds
from monitor.audit.decisions import Difference, derived, differences, latest, recorded
from monitor.audit.ports import Streams
from monitor.audit.protocols import activations, timeline
from monitor.audit.records import Record
from monitor.audit.redactions import unreadable
from monitor.audit.refold import refold
from monitor.audit.verdict import Verdict
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline

Rest = Callable[[], Awaitable[None]]
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def no_rest() -> None:
    """For whoever has nothing else to do."""


@dataclass(frozen=True, slots=True)
class Aside:
    """Where patients are derived: in an `executor` (None: a thread of the loop's own), so many `at_once`.

    Of each that is under way the records are in memory.
    """

    executor: Executor | None = None
    at_once: int = 1

    def begin(self, work: Callable[[*Ts], T], *about: *Ts) -> asyncio.Future[T]:
        """Begin some work on one patient."""
        return asyncio.get_running_loop().run_in_executor(self.executor, work, *about)


IN_A_THREAD = Aside()


async def check_decisions(
    log: Streams,
    protocol: Protocol,
    streams: Collection[str],
    *,
    until: int,
    swept: Mapping[int, datetime],
    rest: Rest = no_rest,
    aside: Aside = IN_A_THREAD,
) -> Verdict:
    """Hold the decisions of all patients of these streams, up to sequence `until`, against those derived again.

    `swept`: how far the events clock of each partition has come. Each patient is derived `aside`, so that the loop goes
    on; `rest` is awaited after each.
    """
    if (broken := unreadable(await log.stream(kinds.PROTOCOLS))) is not None:
        return Verdict(broken=broken)
    activated = await activations(log)
    files = timeline(activated, protocol)
    hashes = {file.hash for file in files.files} | {each.hash for each in activated}
    verdict, under_way = Verdict(), deque[asyncio.Future[Verdict]]()
    for patient in _patients(streams):
        facts = _up_to(until, await log.stream(kinds.patient_stream(patient)))
        decided = _up_to(until, await log.stream(kinds.alert_stream(patient)))
        if (broken := unreadable([*facts, *decided])) is not None:
            return replace(verdict, broken=broken)
        clock = _clock_of(facts, swept)
        under_way.append(aside.begin(check_patient, patient, files, hashes, facts, decided, clock))
        if len(under_way) == aside.at_once:
            verdict = _together(verdict, await under_way.popleft())
        await rest()
    for left in under_way:
        verdict = _together(verdict, await left)
    return _excused(verdict) if verdict.upgraded else verdict


def _patients(streams: Collection[str]) -> Iterator[str]:
    """Whose streams these are, each once; a trial has many patients: they are not all held by name."""
    for stream in sorted(streams):
        patient, decided = kinds.patient_of(stream), kinds.patient_of_alert(stream)
        if patient is not None:
            yield patient
        elif decided is not None and kinds.patient_stream(decided) not in streams:
            yield decided


def _together(verdict: Verdict, found: Verdict) -> Verdict:
    """The verdict on so many patients, and on one more."""
    return replace(
        verdict,
        patients=verdict.patients + 1,
        decisions=verdict.decisions + found.decisions,
        differs=verdict.differs + found.differs,
        undecided=verdict.undecided + found.undecided,
        erased=verdict.erased + found.erased,
        upgraded=verdict.upgraded or found.upgraded,
    )


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
