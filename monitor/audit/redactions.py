"""What redactions say, held against the keys that are gone. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitor.audit.checker import Broken
from monitor.audit.opening import UNREADABLE
from monitor.audit.records import Erasures, Lost, Record


@dataclass(frozen=True, slots=True)
class Checked:
    """`redacted` records are erased as some record says; `broken` is the first one that is lost otherwise.

    `returned` were redacted and can be read again: a backup brought their keys back.
    """

    redacted: int = 0
    returned: int = 0
    broken: Broken | None = None


def check(found: Erasures, *, until: int) -> Checked:
    """Is every key that is gone up to sequence `until` gone by a record of the log that says so?"""
    said = [_Said.by(act) for act in found.acts if act.payload != UNREADABLE]
    lost = [each for each in found.lost if each.sequence <= until]
    for each in lost:
        if not any(one.covers(each) for one in said):
            what = "the key of its payload is gone, and no record says that it was redacted"
            return Checked(broken=Broken(each.sequence, each.stream, what))
    return Checked(len(lost), sum(sequence <= until for sequence in found.returned))


def unreadable(records: Sequence[Record]) -> Broken | None:
    """The first of these records whose payload does not open under its key."""
    for record in records:
        if record.payload == UNREADABLE and not record.gone:
            return Broken(record.sequence, record.stream, "its payload does not open under its key")
    return None


@dataclass(frozen=True, slots=True)
class _Said:
    sequence: int
    records: frozenset[str]
    keys: frozenset[str]

    @classmethod
    def by(cls, act: Record) -> "_Said":
        payload: dict[str, Any] = json.loads(act.payload)
        return cls(act.sequence, frozenset(payload["left"] or ()), frozenset(payload["keys"]))

    def covers(self, lost: Lost) -> bool:
        return lost.sequence < self.sequence and (str(lost.sequence) in self.records or lost.key_id in self.keys)
