"""A patient: every entry recorded so far, and the fold of those the clock has reached.

Facts usually come in the order they were issued and extend the fold. One that was issued earlier than what has been
folded makes it begin anew with the larger set: `raised_at` of alerts found again is kept.
"""

from __future__ import annotations

from bisect import insort
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.core.alert import Alert, Change
from monitor.core.fold import Before, Fold
from monitor.core.growing import Growing
from monitor.core.history import History
from monitor.core.ledger import Ledger
from monitor.core.reconcile import changes
from monitor.core.series import Series
from monitor.events.command import Command
from monitor.events.envelope import Received, Refused
from monitor.events.patient import PatientEnrolled
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline

Order = tuple[datetime, str, str, int, str]
Folded = Series[tuple[Order, Received | Refused]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One inbound message as recorded. `known_at` is the clock's now when it is assessed: not before its own time."""

    event: Received | Refused
    known_at: datetime
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One assessment: of an entry, or of a deadline (`due`) that was reached; and what it changed."""

    known_at: datetime
    due: datetime | None
    entry: Entry | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Patient:
    """Immutable. The same entries and advances give the same patient and the same steps."""

    patient_id: str
    files: Timeline
    fold: Fold
    folded: Folded = field(default_factory=Series)
    contents: Growing[tuple[str, ...], Order] = field(default_factory=Growing)
    waiting: tuple[tuple[Order, Entry], ...] = ()
    deliveries: Growing[str, None] = field(default_factory=Growing)
    withdrawn: Mapping[str, Alert] = field(default_factory=dict)  # alerts of an earlier fold that is no longer so
    duplicates: int = 0
    events: int = 0

    @classmethod
    def new(cls, patient_id: str, protocol: Protocol | Timeline) -> Patient:
        """A patient of whom nothing is known, under one protocol file or under each in its time."""
        files = Timeline.of(protocol)
        return cls(patient_id, files, Fold(patient_id, files, History(files.first.tz)))

    def knows(self, delivery_key: str) -> bool:
        """Was exactly this delivery recorded before?"""
        return delivery_key in self.deliveries

    @property
    def enrolled(self) -> bool:
        return bool(self.fold.history.of(PatientEnrolled))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All alerts there have been, in the order they are shown: by (effective_at, rule)."""
        return tuple(sorted(self._by_id.values(), key=lambda a: (a.to_json()["effective_at"], a.rule, a.alert_id)))

    @property
    def due_at(self) -> datetime | None:
        """The earliest waiting fact or deadline: when `advance` will have something to do."""
        first = [self.waiting[0][1].known_at] if self.waiting else []
        return min([*first, *([self.fold.deadline] if self.fold.deadline else [])], default=None)

    def receive(self, entry: Entry) -> tuple[Patient, tuple[Step, ...]]:
        """Record an entry. It is assessed at its `known_at`, or waits for the clock to come to it."""
        key = entry.event.delivery_key
        patient = replace(self, deliveries=self.deliveries.with_entry(key, None))
        if not entry.waited:
            patient, steps = patient.advance(entry.known_at, sweep=False)
            patient, step = patient._assess(entry)
            patient, ticks = patient.advance(entry.known_at, sweep=False)
            return patient, (*steps, step, *ticks)
        waiting = list(patient.waiting)
        insort(waiting, (_order(entry.event, entry.known_at), entry), key=lambda pair: pair[0])
        return replace(patient, waiting=tuple(waiting)), ()

    def advance(self, now: datetime, *, sweep: bool) -> tuple[Patient, tuple[Step, ...]]:
        """Take what is due by `now`, in order; swept, each at its own time, else deadlines at `now`."""
        patient, steps = self, list[Step]()
        while (due := patient.due_at) is not None and due <= now:
            deadline = patient.fold.deadline
            if deadline is not None and deadline <= due:
                patient, step = patient._tick(deadline, deadline if sweep else now)
            else:
                _, entry = patient.waiting[0]
                patient, step = replace(patient, waiting=patient.waiting[1:])._assess(entry)
            steps.append(step)
        return patient, tuple(steps)

    def snapshot(self) -> dict[str, object]:
        """The patient as `simulate` and `replay` show one."""
        assessment = self.fold.assessment
        shown: dict[str, object] = {
            "protocol_state": assessment.protocol_state if assessment else "screening",
            "treatment_state": assessment.treatment_state if assessment else "not_started",
            "restart_window": assessment.restart_window() if assessment else None,
            "alerts": [alert.to_json() for alert in self.alerts],
            "eligibility": dict(assessment.eligibility) if assessment else {},
            "events": self.events,
        }
        return shown

    def _tick(self, due: datetime, clock: datetime) -> tuple[Patient, Step]:
        after = self._followed_by(self.fold.tick(due, self._before, clock))
        return after, Step(clock, due, None, self._changes_to(after, clock))

    def _assess(self, entry: Entry) -> tuple[Patient, Step]:
        """Put an entry into the fold; the same content again only counts, unless it was issued earlier."""
        event, clock = entry.event, entry.known_at
        order, identity = _order(event, clock), _identity(event)
        known = self.contents.get(identity) if isinstance(event, Received) else None
        if known is not None and known <= order:
            return replace(self, duplicates=self.duplicates + 1), Step(clock, None, entry, ())
        folded = _placed(self.folded, (order, event), known)
        counted = replace(
            self,
            folded=folded,
            contents=self.contents.with_entry(identity, order),
            duplicates=self.duplicates + (known is not None),
            events=self.events + (known is None and isinstance(event, Received)),
        )
        in_order = known is None and folded[-1][0] == order and (self.fold.now is None or self.fold.now <= order[0])
        if in_order:
            after = counted._followed_by(self.fold.take(event, order[0], self._before, clock))
        else:
            after = counted._begun_anew(_numbered_after(counted._refold(clock), self._by_id))
        return after, Step(clock, None, entry, self._changes_to(after, clock))

    def _refold(self, clock: datetime) -> Fold:
        """The fold of everything known, from the beginning up to the clock."""
        before, last, told = self._before, self.fold.now, Ledger(told=self.fold.ledger.told)
        fold = Fold(self.patient_id, self.files, History(self.files.first.tz), ledger=told)
        for order, event in self.folded:
            while fold.deadline is not None and fold.deadline <= order[0]:
                fold = fold.tick(fold.deadline, before, clock)
            fold = fold.take(event, order[0], before, clock)
        while fold.deadline is not None and last is not None and fold.deadline <= last:
            fold = fold.tick(fold.deadline, before, clock)
        return fold

    @property
    def _by_id(self) -> Mapping[str, Alert]:
        if not self.withdrawn:
            return self.fold.alerts
        return ChainMap(self.fold.alerts, self.withdrawn)  # type: ignore[arg-type]  # nobody writes to it

    @property
    def _before(self) -> Before:
        return Before(self.fold.ledger, self.withdrawn)

    def _followed_by(self, fold: Fold) -> Patient:
        """The patient with a fold that has gone on from the one before: it knows all that one knew."""
        lost = self.withdrawn
        if any(reference in fold.alerts for reference in lost):
            lost = {reference: alert for reference, alert in lost.items() if reference not in fold.alerts}
        return replace(self, fold=fold, withdrawn=lost)

    def _begun_anew(self, fold: Fold) -> Patient:
        """The patient with a new fold; an alert the new one does not know is withdrawn, never forgotten."""
        lost = {
            reference: alert
            if alert.status == "withdrawn"
            else replace(alert, status="withdrawn", revision=alert.revision + 1)
            for reference, alert in self._by_id.items()
            if reference not in fold.alerts
        }
        return replace(self, fold=fold, withdrawn=lost)

    def _changes_to(self, after: Patient, clock: datetime) -> tuple[Change, ...]:
        touched = {*after.fold.alerts.changed_since(self.fold.alerts)}
        touched |= self.withdrawn.keys() ^ after.withdrawn.keys() if after.withdrawn is not self.withdrawn else set()
        return changes(self._by_id, after._by_id, touched, clock)


def _numbered_after(fold: Fold, before: Mapping[str, Alert]) -> Fold:
    """The fold with revisions that go on from those already told: the same alert keeps its own, another comes after."""
    told = []
    for reference, alert in fold.alerts.items():
        if (was := before.get(reference)) is not None:
            same = replace(alert, revision=was.revision, keys=was.keys) == was
            told.append(replace(alert, revision=was.revision if same else was.revision + 1))
    return replace(fold, ledger=fold.ledger.with_alerts(told))


def _placed(folded: Folded, new: tuple[Order, Received | Refused], instead: Order | None) -> Folded:
    """The entries in order with one more, in the place of the same content issued later if there was one."""
    kept = folded if instead is None else Series(pair for pair in folded if pair[0] != instead)
    return kept.with_sorted(new, lambda pair: pair[0])


def _identity(event: Received | Refused) -> tuple[str, ...]:
    """What makes two deliveries the same content: record, version and content; of a command, its delivery."""
    if isinstance(event, Refused):
        return ("refused", event.delivery_key)
    if isinstance(event.data, Command):
        return (event.source, event.id, event.content)
    return (event.source, event.data.record_id, str(event.data.record_version), event.content)


def _order(event: Received | Refused, known_at: datetime) -> Order:
    """Where an event stands in the fold: (time, source, record_id, record_version), then its content."""
    if isinstance(event, Refused):
        return (
            event.time or known_at,
            event.source or "",
            event.record_id or "",
            event.record_version or 0,
            event.delivery_key,
        )
    if isinstance(event.data, Command):
        return (event.time, event.source, event.id, 0, event.content)
    return (event.time, event.source, event.data.record_id, event.data.record_version, event.content)
