"""What a patient owes once its assessment is mended: decisions its facts lead to that were never recorded. Pure."""

import json
from collections import Counter
from collections.abc import Sequence

from monitor.audit.records import Record
from monitor.core.alert import Change
from monitor.core.patient import Step


def missing_changes(steps: Sequence[Step], decided: Sequence[Record]) -> tuple[Change, ...]:
    """The changes of these steps that the `alert/` stream does not hold, in order."""
    held = Counter(_key_of(record) for record in decided if not record.gone)
    missing = []
    for change in (change for step in steps for change in step.changes):
        key = (change.alert.alert_id, change.kind)
        if held[key]:
            held[key] -= 1
        else:
            missing.append(change)
    return tuple(missing)


def _key_of(record: Record) -> tuple[str, str]:
    payload = json.loads(record.payload)
    return (payload["alert"]["alert_id"], payload["change"])
