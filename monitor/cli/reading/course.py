"""What happened to a patient: facts, corrections, commands, ticks, decisions, notices, in one order of time. Pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.audit import kinds
from monitor.audit.records import Record
from monitor.audit.times import utc_time
from monitor.cli.reading.facts import Told, told_in
from monitor.cli.reading.versions import by_record, field_changes, version_before
from monitor.core.times import Effective, instant, show
from monitor.notify.receipts import Attempt, receipts_in
from monitor.notify.texts import text_for

# Fields of a change that say nothing beside its name.
_OF_ITSELF: Final = frozenset({"alert_id", "revision", "status"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a patient's course. `at` is its clinical time, `known_at` when the monitor knew it."""

    at: Effective
    known_at: datetime
    kind: str
    what: str
    sequence: int
    reference: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "at": show(self.at),
            "known_at": show(self.known_at),
            "kind": self.kind,
            "what": self.what,
            "reference": self.reference,
            "sequence": self.sequence,
        }


def course(
    facts: Sequence[Record], decided: Sequence[Record], sent: Sequence[Record], tz: ZoneInfo, *, by_known: bool
) -> list[Happening]:
    """The course of one patient by clinical time, or in the order in which the monitor knew it."""
    found = [*_told(facts), *_ticks(facts), *_decisions(decided), *_notices(sent), *_redactions(facts)]
    if by_known:
        return sorted(found, key=lambda each: (each.known_at, each.sequence))
    return sorted(found, key=lambda each: (instant(each.at, tz), each.known_at, each.sequence))


def _told(facts: Sequence[Record]) -> Iterator[Happening]:
    told = list(told_in(facts))
    versions = by_record(told)
    for each in told:
        kind, what = "fact", f"{each.kind}: {each.figures}" if each.figures else each.kind
        if each.command is not None:
            kind, what = "command", _commanded(each)
        elif each.block is None:
            kind = "refusal"
        elif (before := version_before(versions[each.key], each)) is not None:
            kind, what = "correction", _corrected(before, each)
        if (redacted := each.record.redacted) is not None:
            what += f" (redacted by record {redacted.act})"
        reference = each.block.record_id if each.block else each.command.alert_id if each.command else ""
        yield Happening(each.effective, each.record.known_at, kind, what, each.record.sequence, reference)


def _commanded(each: Told) -> str:
    command = each.command
    note = f": {command.note}" if command and command.note else ""
    until = f" until {each.sent['until']}" if "until" in each.sent else ""
    return f"{each.kind}{until} by {command.actor if command else ''}{note}"


def _corrected(before: Told, each: Told) -> str:
    block = each.block
    reason = f" ({block.reason})" if block and block.reason else ""
    if block and block.retracted:
        return f"{each.kind}, version {block.record_version}: taken back, {block.status.value}{reason}"
    said = "; ".join(map(str, field_changes(before, each))) or "nothing changed"
    return f"{each.kind}, version {block.record_version if block else 0}: {said}{reason}"


def _ticks(facts: Sequence[Record]) -> Iterator[Happening]:
    for record in facts:
        if record.kind == kinds.CLOCK_TICKED and not record.gone:
            due = utc_time(json.loads(record.payload)["due"])
            yield Happening(due, record.known_at, "tick", "a deadline came", record.sequence)


def _decisions(decided: Sequence[Record]) -> Iterator[Happening]:
    """An alert is raised where it became so; what follows happens when it is known."""
    contents: dict[str, dict[str, Any]] = {}
    for record in (each for each in decided if not each.gone):
        payload = json.loads(record.payload)
        reference, changed = payload["alert"]["alert_id"], payload["alert"]
        alert = contents[reference] = contents.get(reference, {}) | changed
        raised = payload["change"] == "raised"
        at = _effective(alert["effective_at"]) if raised else record.known_at
        what = f"{payload['change']}: {text_for(alert['rule']).title} [{alert['priority']}]"
        if raised or "summary" in changed:
            what += f": {alert['summary']}"
        elif others := sorted(set(changed) - _OF_ITSELF):
            what += f": other {', '.join(others).replace('_', ' ')}"
        yield Happening(at, record.known_at, "alert", what, record.sequence, reference)


def _notices(sent: Sequence[Record]) -> Iterator[Happening]:
    for record, attempt in receipts_in(sent):
        yield Happening(record.known_at, record.known_at, "notice", noticed(attempt), record.sequence, attempt.alert_id)


def _redactions(facts: Sequence[Record]) -> Iterator[Happening]:
    for record in facts:
        if record.kind == kinds.RECORD_REDACTED and not record.gone:
            payload = json.loads(record.payload)
            left = payload["left"]
            erased = "all of the patient's records" if left is None else f"records {', '.join(left)}"
            what = f"redacted {erased}, by {record.actor}: {payload['why']}"
            yield Happening(record.recorded_at, record.recorded_at, "redaction", what, record.sequence)


def noticed(attempt: Attempt) -> str:
    """A receipt in one line: to whom, by which channel, and what became of it."""
    said = f"{attempt.change} to {attempt.recipient} by {attempt.channel}: {attempt.outcome}"
    if attempt.attempt > 1:
        said += f" (attempt {attempt.attempt})"
    if attempt.handed_to:
        said += f", handed to {attempt.handed_to}"
    return f"{said}: {attempt.detail}" if attempt.detail else said


def _effective(text: str) -> Effective:
    return utc_time(text) if "T" in text else datetime.fromisoformat(text).date()
