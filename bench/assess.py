"""What one more fact costs, by how many are known: `make bench-assess` prints the curve.

Each row: a patient with so many facts (blood counts, MRD, chimerism, GVHD assessments, doses over the years), and the
CPU time of taking one more, in microseconds: the median over facts of every kind, and the dearest kind.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.core.patient import Entry, Patient
from monitor.events.codec import decode
from monitor.events.envelope import Received
from monitor.protocol.model import Protocol

SITE = ZoneInfo("Asia/Shanghai")
D0 = datetime(2025, 1, 1, 1, tzinfo=UTC)
SIZES = (10, 100, 1_000, 10_000)
REPEATS = 15

KINDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("lab.resulted", {"code": "751-8", "value": "2.5", "unit": "10*9/L"}),
    ("lab.resulted", {"code": "777-3", "value": "120", "unit": "10*9/L"}),
    ("lab.resulted", {"code": "6690-2", "value": "4.1", "unit": "10*9/L"}),
    ("lab.resulted", {"code": "1920-8", "value": "30", "unit": "U/L", "ref_high": "40"}),
    ("lab.resulted", {"code": "1742-6", "value": "28", "unit": "U/L", "ref_high": "40"}),
    ("lab.resulted", {"code": "2160-0", "value": "0.9", "unit": "mg/dL", "ref_high": "1.2"}),
    ("lab.resulted", {"code": "26446-5", "value": "0", "unit": "%"}),
    ("mrd.resulted", {"assay": "flow", "specimen": "bone_marrow", "value": "0.01", "comparator": "<"}),
    ("chimerism.resulted", {"donor_percent": "99", "unit": "%", "specimen": "bone_marrow", "lineage": "whole"}),
    ("gvhd.acute-assessed", {"stages": {"skin": 0, "liver": 0, "upper_gi": 0, "lower_gi": 0}}),
    ("gvhd.chronic-assessed", {"present": False}),
)


def facts() -> Iterator[Received]:
    """An enrolment, a first cycle, then one result an hour for as long as is asked."""
    form: dict[str, object] = {"hct_date": "2025-01-01", "birth_year": 1980, "sex": "female"}
    yield event("patient.enrolled", "enrolment", D0 + timedelta(days=80), form)
    for n in range(5):
        yield event("azacitidine.given", f"aza-{n}", D0 + timedelta(days=95 + n), {"cycle": 1, "dose_mg_m2": 32})
    for n in itertools.count():
        kind, data = KINDS[n % len(KINDS)]
        yield event(kind, f"{kind}-{n}", D0 + timedelta(days=101, hours=n), data)


def event(kind: str, record: str, at: datetime, data: dict[str, object]) -> Received:
    body = {"record_id": record, "record_version": 1, "effective_at": at.isoformat(), **data}
    envelope = {"specversion": "1.0", "id": record, "source": "/bench", "type": f"safety.{kind}.v1", "data": body}
    read = decode(json.dumps({**envelope, "subject": "B-1", "time": at.isoformat()}).encode(), site_timezone=SITE)
    if not isinstance(read, Received):
        raise TypeError(f"the bench made an event that is refused: {read}")
    return read


def cost(patient: Patient, coming: list[Received]) -> dict[str, float]:
    """CPU microseconds of one more fact of each kind, the median of several goes from the same patient."""
    costs: dict[str, float] = {}
    for fact in coming:
        ready, _ = patient.advance(fact.time, sweep=True)
        goes = []
        for _ in range(REPEATS):
            began = time.process_time_ns()
            ready.receive(Entry(fact, fact.time))
            goes.append((time.process_time_ns() - began) / 1000)
        name = f"{fact.type} {getattr(fact.data, 'code', '')}".strip()
        costs[name] = statistics.median(goes)
    return costs


def main() -> int:
    source, patient, known = facts(), Patient.new("B-1", Protocol.load()), 0
    print(f"{'facts known':>12} {'median us':>10} {'dearest us':>11}  dearest kind")
    for size in SIZES:
        while known < size:
            fact = next(source)
            patient, _ = patient.advance(fact.time, sweep=True)
            patient, _ = patient.receive(Entry(fact, fact.time))
            known += 1
        costs = cost(patient, [next(source) for _ in KINDS])
        dearest = max(costs, key=lambda name: costs[name])
        print(f"{size:>12,} {statistics.median(costs.values()):>10.0f} {costs[dearest]:>11.0f}  {dearest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
