"""What one more fact costs, by how many are known of the patient: `make bench-assess` prints the curve of each kind.

CPU time in microseconds to take a fact that comes in order, the median of several of its kind, and how many alerts it
changes, with ten facts known and with ten thousand. Of the quiet patient nothing but results is told; of the alarming
one every result raises an alert or ends one, under stops and windows. The last line: a late fact and a corrected one,
for which the history is folded anew, cost that much for each fact.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from bench.courses import ALARMING, QUIET, Course, Writer, read
from monitor.core.patient import Entry, Patient
from monitor.events.envelope import Received
from monitor.protocol.model import Protocol

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 7
COMMAND, FOLD = "command", "fold anew, per fact"


@dataclass
class Cost:
    """CPU microseconds of each fact of a kind, and how many alerts it changed."""

    taken: list[float] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """The medians of a kind at one size."""

    microseconds: float
    changed: float


def take(patient: Patient, fact: Received) -> tuple[Patient, int]:
    """The patient with one more fact, as the worker takes it; and how many alerts that changed."""
    patient, ticks = patient.advance(fact.time, sweep=True)
    patient, steps = patient.receive(Entry(fact, fact.time))
    return patient, sum(len(step.changes) for step in (*ticks, *steps))


def timed(cost: Cost, patient: Patient, fact: Received) -> Patient:
    """Take the fact, and note what it cost."""
    began = time.process_time_ns()
    patient, changed = take(patient, fact)
    cost.taken.append((time.process_time_ns() - began) / 1000)
    cost.changed.append(changed)
    return patient


def measure(patient: Patient, writer: Writer) -> tuple[Patient, dict[str, Row]]:
    """Some of every kind, in order; then the fold of all that is known from the beginning."""
    costs: dict[str, Cost] = defaultdict(Cost)
    for number in range(ROUNDS):
        for name, fact in writer.round():
            patient = timed(costs[name], patient, fact)
        alert = patient.alerts[number % len(patient.alerts)].alert_id if patient.alerts else "none"
        at = patient.folded[-1][0][0] + timedelta(minutes=1)
        said = read("safety.alert.acknowledged.v1", f"seen-{at}", at, {"alert_id": alert, "actor": "officer"})
        patient = timed(costs[COMMAND], patient, said)
    found = {name: Row(median(cost.taken), median(cost.changed)) for name, cost in costs.items()}
    return patient, {**found, FOLD: Row(_folded(patient), 0)}


def _folded(patient: Patient) -> float:
    """CPU microseconds a fact to fold all that is known of the patient from the beginning."""
    anew = Patient.new("B-1", Protocol.load())
    began = time.process_time_ns()
    for _, fact in patient.folded:
        if isinstance(fact, Received):
            anew, _ = take(anew, fact)
    return (time.process_time_ns() - began) / 1000 / len(patient.folded)


def curve(course: Course) -> dict[int, dict[str, Row]]:
    """The costs at each size of one patient who grows."""
    writer, patient, found = Writer(course), Patient.new("B-1", Protocol.load()), {}
    for fact in writer.beginning():
        patient, _ = take(patient, fact)
    facts = writer.facts()
    for size in SIZES:
        while len(patient.folded) < size:
            _, fact = next(facts)
            patient, _ = take(patient, fact)
        patient, found[size] = measure(patient, writer)
    return found


def show(title: str, costs: dict[int, dict[str, Row]]) -> None:
    head = "".join(f"{size:>10,}" for size in SIZES)
    print(f"{title:<22}{head}{'ratio':>8}{'alerts changed':>18}")
    for name in costs[SIZES[0]]:
        row = [costs[size][name] for size in SIZES]
        figures = "".join(f"{each.microseconds:>10.0f}" for each in row)
        changed = f"{row[0].changed:.0f} to {row[-1].changed:.0f}"
        print(f"{name:<22}{figures}{row[-1].microseconds / row[0].microseconds:>8.1f}{changed:>18}")
    print()


def main() -> int:
    show("quiet, us a fact", curve(QUIET))
    show("alarming, us a fact", curve(ALARMING))
    return 0


if __name__ == "__main__":
    sys.exit(main())
