"""Two patients without end, for `bench/assess.py`: one to whom nothing happens, and one of whom every result tells."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.events.codec import decode
from monitor.events.envelope import Received

SITE = ZoneInfo("Asia/Shanghai")
D0 = datetime(2025, 1, 1, 1, tzinfo=UTC)
Data = dict[str, Any]
Course = Mapping[str, tuple[str, Callable[[int], Data]]]  # by its name in the table: the type, and the n-th content


def lab(code: str, unit: str, *values: str, **more: object) -> tuple[str, Callable[[int], Data]]:
    return "lab.resulted", lambda n: {"code": code, "value": values[n % len(values)], "unit": unit, **more}


def always(kind: str, **data: Any) -> tuple[str, Callable[[int], Data]]:
    return kind, lambda _n: data


def stages(skin: int) -> Data:
    return {"stages": {"skin": skin, "liver": 0, "upper_gi": 0, "lower_gi": 0}}


QUIET: Course = {
    "neutrophils": lab("751-8", "10*9/L", "2.5"),
    "platelets": lab("777-3", "10*9/L", "120"),
    "AST": lab("1920-8", "U/L", "30", ref_high="40"),
    "creatinine": lab("2160-0", "mg/dL", "0.9", ref_high="1.2"),
    "blood blasts": lab("26446-5", "%", "0"),
    "MRD": always("mrd.resulted", assay="flow", specimen="bone_marrow", value="0.01", comparator="<"),
    "chimerism": always("chimerism.resulted", donor_percent="99", unit="%", specimen="bone_marrow", lineage="whole"),
    "acute GVHD": always("gvhd.acute-assessed", **stages(0)),
    "chronic GVHD": always("gvhd.chronic-assessed", present=False),
    "disease": always("disease.assessed", marrow_blast_percent="1"),
    "medication": always("medication.given", name="aciclovir"),
    "adverse event": always("adverse-event.reported", term="nausea", ctcae_grade=1, serious=False),
}

ALARMING: Course = {
    "neutrophils": lab("751-8", "10*9/L", "0.3", "2.5"),
    "platelets": lab("777-3", "10*9/L", "20", "120"),
    "AST": lab("1920-8", "U/L", "900", "30", ref_high="40"),
    "creatinine": lab("2160-0", "mg/dL", "9", "0.9", ref_high="1.2"),
    "blood blasts": lab("26446-5", "%", "6", "2"),
    "MRD": (
        "mrd.resulted",
        lambda n: (
            {"assay": "qpcr", "target": "NPM1", "specimen": "bone_marrow", "positive_cutoff": "0.01"}
            | ({"value": "0.001", "comparator": "<"} if n % 3 else {"value": "5", "detected": True})
        ),
    ),
    "chimerism": (
        "chimerism.resulted",
        lambda n: (
            {"donor_percent": ("99", "85", "92")[n % 3], "unit": "%", "specimen": "bone_marrow"} | {"lineage": "whole"}
        ),
    ),
    "acute GVHD": ("gvhd.acute-assessed", lambda n: stages(3 if n % 2 else 0)),
    "chronic GVHD": (
        "gvhd.chronic-assessed",
        lambda n: {"present": True, "organ_scores": {"skin": 1, "mouth": n % 2, "lung": 0}},
    ),
    "disease": ("disease.assessed", lambda n: {"marrow_blast_percent": "7" if n % 2 else "1"}),
    "medication": always("medication.given", name="prednisone", systemic_corticosteroid=True),
    "adverse event": always("adverse-event.reported", term="hepatitis", ctcae_grade=4, serious=True, related=True),
}

SELDOM: Course = {
    "azacitidine": ("azacitidine.given", lambda n: {"cycle": 1 + n // 5, "dose_mg_m2": 32}),
    "DLI": always("dli.infused", cd3_per_kg="1e5", premedication=[{"name": "x", "class": "antihistamine"}]),
    "decision": ("treatment.decided", lambda n: {"decision": ("hold", "restart")[n % 2], "signed_by": "pi"}),
}  # of each some hundreds in a lifetime at most: given by the calendar


class Writer:
    """Writes the facts of a course, one an hour, and numbers them by kind."""

    def __init__(self, course: Course) -> None:
        self._course = {**course, **SELDOM}
        self._often = tuple(course)
        self._counts = dict.fromkeys(self._course, 0)
        self._hours = itertools.count()

    def beginning(self) -> Iterator[Received]:
        """The enrolment and a first cycle."""
        form: Data = {"hct_date": "2025-01-01", "birth_year": 1980, "sex": "female"}
        yield event("patient.enrolled", "enrolment", D0 + timedelta(days=80), form)
        for n in range(5):
            yield self._next("azacitidine", D0 + timedelta(days=95 + n))

    def facts(self) -> Iterator[tuple[str, Received]]:
        """One result an hour of each kind in turn; a cycle, an infusion and a decision every 28 days."""
        for turn in itertools.count():
            hour = next(self._hours)
            day, of_day = divmod(hour, 24)
            if of_day == 0 and day % 28 < 5:
                yield "azacitidine", self.one("azacitidine")
            elif of_day == 0 and day % 28 in (10, 14):
                name = "DLI" if day % 28 == 10 else "decision"
                yield name, self.one(name)
            name = self._often[turn % len(self._often)]
            yield name, self.one(name)

    def round(self) -> Iterator[tuple[str, Received]]:
        """One of each kind, of the seldom ones, too."""
        for name in self._course:
            next(self._hours)
            yield name, self.one(name)

    def one(self, name: str) -> Received:
        hours = next(self._hours)
        return self._next(name, D0 + timedelta(days=101, hours=hours))

    def _next(self, name: str, at: datetime) -> Received:
        kind, content = self._course[name]
        self._counts[name] += 1
        return event(kind, f"{name}-{self._counts[name]}", at, content(self._counts[name] - 1))


def event(kind: str, record: str, at: datetime, data: Data) -> Received:
    """A fact as the codec reads it."""
    body = {"record_id": record, "record_version": 1, "effective_at": at.isoformat(), **data}
    return read(f"safety.{kind}.v1", record, at, body)


def read(kind: str, identity: str, at: datetime, data: Data) -> Received:
    envelope = {"specversion": "1.0", "id": identity, "source": "/bench", "type": kind, "subject": "B-1"}
    received = decode(json.dumps({**envelope, "time": at.isoformat(), "data": data}).encode(), site_timezone=SITE)
    if not isinstance(received, Received):
        raise TypeError(f"the bench made an event that is refused: {received}")
    return received
