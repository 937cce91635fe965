"""Whether the recorded decisions are those that the recorded facts lead to. Pure."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.audit.core_version import CORE_VERSION
from monitor.audit.records import Record
from monitor.audit.refold import Refolded
from monitor.audit.times import utc_text
from monitor.core.alert import Change
from monitor.events.canonical import canonical


@dataclass(frozen=True, slots=True)
class Decided:
    """One change of an alert: recorded or derived. `content` is the whole alert after it."""

    alert_id: str
    change: str
    at: str
    content: Mapping[str, Any]
    sequence: int | None = None
    core: str | None = None
    protocol: str | None = None
    anew: bool = False  # when everybody was assessed anew, after an upgrade of the program

    @property
    def by_other_rules(self) -> bool:
        """May the facts lead elsewhere by the rules of this program, or may it be recorded later than they do?"""
        return self.anew or self.core != CORE_VERSION


@dataclass(frozen=True, slots=True)
class Difference:
    """The first change of an alert that was recorded otherwise than its facts lead to.

    `newer`: the program that decided was another version; then newer rules explain it, and nobody touched the log.
    """

    patient: str
    alert_id: str
    sequence: int | None
    what: str
    newer: bool

    def __str__(self) -> str:
        where = f"record {self.sequence}: " if self.sequence is not None else ""
        return f"{where}alert {self.alert_id} of patient {self.patient}: {self.what}"


def recorded(records: Sequence[Record]) -> list[Decided]:
    """The changes an `alert/<id>` stream holds; a revision's content is what was known of the alert and what changed.

    What was erased whole is passed over. Raises ValueError, KeyError or TypeError for a payload that is none of ours.
    """
    contents: dict[str, dict[str, Any]] = {}
    changes = []
    for record in (each for each in records if not each.gone):
        payload = json.loads(record.payload)
        reference = payload["alert"]["alert_id"]
        contents[reference] = contents.get(reference, {}) | payload["alert"]
        stamp = payload.get("stamp", {})
        changes.append(
            Decided(
                reference,
                payload["change"],
                payload["at"],
                contents[reference],
                record.sequence,
                stamp.get("core"),
                stamp.get("protocol"),
                payload.get("anew") is True,
            )
        )
    return changes


def derived(refolded: Refolded) -> list[Decided]:
    """The changes that the facts lead to."""
    return [_decided(change) for step in refolded.steps for change in step.changes]


def latest(records: Sequence[Record]) -> datetime | None:
    """The clock's now of the last decision: every fact up to it has been assessed."""
    return max((record.known_at for record in records), default=None)


def differences(patient: str, found: Sequence[Decided], expected: Sequence[Decided]) -> Iterator[Difference]:
    """The first difference of each alert. Changes of one alert keep their order; those of several need not."""
    newer = any(change.by_other_rules for change in found)
    by_alert, wanted = _by_alert(found), _by_alert(expected)
    for reference in dict.fromkeys([*wanted, *by_alert]):
        difference = _compare(by_alert.get(reference, []), wanted.get(reference, []))
        if difference is not None:
            sequence, what = difference
            yield Difference(patient, reference, sequence, what, newer)


def _compare(found: Sequence[Decided], expected: Sequence[Decided]) -> tuple[int | None, str] | None:
    for mine, right in zip(found, expected, strict=False):
        if (mine.change, mine.at) != (right.change, right.at):
            return mine.sequence, f"recorded {mine.change} at {mine.at}, derived {right.change} at {right.at}"
        if mine.content != right.content:
            names = sorted(
                name for name in {*mine.content, *right.content} if mine.content.get(name) != right.content.get(name)
            )
            return mine.sequence, f"recorded {mine.change} with another {', '.join(names)} than derived"
    if len(found) > len(expected):
        extra = found[len(expected)]
        return extra.sequence, f"recorded {extra.change} at {extra.at}, which its facts do not lead to"
    if len(found) < len(expected):
        missing = expected[len(found)]
        return None, f"{missing.change} at {missing.at} was never recorded, though its facts lead to it"
    return None


def _by_alert(changes: Sequence[Decided]) -> dict[str, list[Decided]]:
    grouped: dict[str, list[Decided]] = defaultdict(list)
    for change in changes:
        grouped[change.alert_id].append(change)
    return grouped


def _decided(change: Change) -> Decided:
    content = json.loads(canonical(change.alert.to_json()))  # as it comes back from the log: tuples are lists
    return Decided(change.alert.alert_id, change.kind, utc_text(change.at), content)
