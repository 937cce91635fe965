"""The redaction rehearsed: the history is folded with what would be left of it. Pure.

What is left of a fact is all that rules read, so it must fold to the same decisions. One that would change what stands
(`whole`) is refused: its source must take the fact back first.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from monitor.audit.decisions import Decided, derived
from monitor.audit.records import Record, Redacted
from monitor.audit.refold import refold
from monitor.audit.scrubbing import scrubbed
from monitor.core.alert import LIVE
from monitor.core.patient import Patient
from monitor.errors import UsageError
from monitor.events.canonical import canonical
from monitor.protocol.timeline import Timeline


def folded(
    patient: str, files: Timeline, facts: Sequence[Record], left: Mapping[int, str | None], until: datetime | None
) -> tuple[Patient, list[Decided]]:
    """The patient and its decisions, as if that were left of these records."""
    gone = Redacted(0, facts[0].recorded_at, "", "", whole=True)
    kept = [
        each
        if each.sequence not in left
        else replace(each, payload=left[each.sequence] or "", redacted=gone if left[each.sequence] is None else None)
        for each in facts
    ]
    refolded = refold(patient, files, kept, until=until)
    return refolded.patient, derived(refolded)


def check_same(
    before: tuple[Patient, list[Decided]], after: tuple[Patient, list[Decided]], told: Mapping[str, str], *, whole: bool
) -> None:
    """Raises UsageError if what is left leads to other decisions; of the `whole` of a record, to another standing."""
    if whole:
        was, becomes = _standing(before[0]), _standing(after[0])
        if was != becomes:
            raise UsageError(
                f"with nothing left of it other things would stand: {', '.join(_differing(was, becomes))}. Have its "
                "source take it back (entered-in-error), redact it without --whole, or redact the patient"
            )
        return
    was_decided = [replace(each, content=_scrubbed_content(each.content, told)) for each in before[1]]
    if was_decided != after[1]:
        raise UsageError("what would be left of it leads to other decisions: have its source correct it first")


def _standing(patient: Patient) -> dict[str, Any]:
    shown = dict(patient.snapshot())
    alerts: Any = shown.pop("alerts")
    shown.pop("events")
    return shown | {
        f"alert {each['alert_id']} ({each['rule']})": each["status"] for each in alerts if each["status"] in LIVE
    }


def _differing(was: Mapping[str, Any], becomes: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*was, *becomes} if was.get(name) != becomes.get(name))


def _scrubbed_content(content: Mapping[str, Any], told: Mapping[str, str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(scrubbed(canonical(content), told)) if told else content
    return found
