"""What is left of a redacted fact decides what the whole fact decided, whichever facts of a history are redacted."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.core.patient import Entry, Patient
from monitor.events.codec import restore
from monitor.events.envelope import Received
from monitor.events.residue import residue
from tests.core import charts
from tests.core.charts import read
from tests.core.histories import histories


def decisions(events: list[Received]) -> list[dict[str, Any]]:
    """Every decision that a history leads to, in the order of time, and where it ends."""
    patient, made = Patient.new("SH-001", charts.PROTOCOL), list[dict[str, Any]]()
    for event in events:
        patient, steps = patient.receive(Entry(event, event.time))
        made += [{"change": c.kind, "at": c.at, **c.alert.to_json()} for step in steps for c in step.changes]
    return [*made, patient.snapshot()]


@given(histories(), st.data())
def test_any_facts_of_a_history_can_be_redacted_and_nothing_is_decided_otherwise(
    messages: list[bytes], data: st.DataObject
) -> None:
    events = sorted((event for raw in messages if isinstance(event := read(raw), Received)), key=lambda e: e.time)
    contents = {(e.source, getattr(e.data, "record_id", ""), e.content): e.time for e in events}
    assume(len({(key[1], time) for key, time in contents.items()}) == len(contents))  # rivals of one moment: see redact
    chosen = data.draw(
        st.sets(st.sampled_from(sorted({event.content for event in events}))) if events else st.just(set())
    )
    marks: dict[str, str] = {}

    def mark(text: str) -> str:
        return marks.setdefault(text, f"[redacted {len(marks):08x}]")

    left = [e if e.content not in chosen else cast(Received, restore(residue(e.stored, mark))) for e in events]

    assert decisions(left) == decisions(events)


@pytest.mark.parametrize(
    ("kind", "data", "gone"),
    [
        ("adverse-event.reported", {"term": "Zhang San", "ctcae_grade": 4}, "Zhang San"),
        ("adverse-event.reported", {"ctcae_grade": 4, "outcome": "sent home to Nanjing"}, "Nanjing"),
        ("treatment.decided", {"decision": "stop", "rationale": "his wife", "signed_by": "Dr Li"}, "Li"),
        ("lab.resulted", {"code": "4544-3", "value": "see Zhang San"}, "Zhang San"),
        ("lab.resulted", {"code": "26499-4", "value": "1.2", "unit": "10*9/L", "bed": 12345}, "12345"),
        ("dli.infused", {"cd3_per_kg": "1e5", "premedication": [{"name": "Li's own", "nurse": "Wu"}]}, "Wu"),
        ("medication.given", {"name": "13812345678"}, "13812345678"),
    ],
)
def test_what_people_write_goes(kind: str, data: dict[str, Any], gone: str) -> None:
    event = read(charts.message(kind, "r", 120, reported_by="nurse Wang", **data))
    assert gone in event.stored

    left = residue(event.stored, lambda _: "[redacted]")

    assert gone not in left
    assert "nurse Wang" not in left
    assert json.loads(left)["data"]["record_id"] == "r"
    assert isinstance(restore(left), Received)
