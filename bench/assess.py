"""What one more fact costs, by how many are known of the patient: `make bench-assess` prints the curve of each kind.

CPU time in microseconds to take a fact that comes in order, the median of several of its kind. Of the quiet patient
nothing but results is told; of the alarming one every result raises an alert or ends one, under stops and windows.
The last lines: a late fact and a corrected one, for which the history is folded anew, and that fold for each fact.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta

from bench.courses import ALARMING, QUIET, Course, Writer, read
from monitor.core.patient import Entry, Patient
from monitor.events.envelope import Received
from monitor.protocol.model import Protocol

SIZES = (10, 100, 1_000, 10_000)
ROUNDS = 7
COMMAND, FOLD = "command", "fold anew, per fact"
Costs = dict[str, list[float]]


def take(patient: Patient, fact: Received) -> Patient:
    """The patient with one more fact, as the worker takes it."""
    patient, _ = patient.advance(fact.time, sweep=True)
    patient, _ = patient.receive(Entry(fact, fact.time))
    return patient


def timed(costs: list[float], work: Callable[[], Patient]) -> Patient:
    """Do the work, and note its CPU microseconds."""
    began = time.process_time_ns()
    done = work()
    costs.append((time.process_time_ns() - began) / 1000)
    return done


def measure(patient: Patient, writer: Writer) -> tuple[Patient, dict[str, float]]:
    """Some of every kind, in order; then the fold of all that is known from the beginning."""
    costs: Costs = {}
    for number in range(ROUNDS):
        for name, fact in writer.round():
            patient = timed(costs.setdefault(name, []), lambda p=patient, f=fact: take(p, f))
        alert = patient.alerts[number % len(patient.alerts)].alert_id if patient.alerts else "none"
        at = patient.folded[-1][0][0] + timedelta(minutes=1)
        said = read("safety.alert.acknowledged.v1", f"seen-{at}", at, {"alert_id": alert, "actor": "officer"})
        patient = timed(costs.setdefault(COMMAND, []), lambda p=patient, f=said: take(p, f))
    anew = Patient.new("B-1", Protocol.load())
    began = time.process_time_ns()
    for _, fact in patient.folded:
        if isinstance(fact, Received):
            anew = take(anew, fact)
    found = {name: statistics.median(goes) for name, goes in costs.items()}
    return patient, {**found, FOLD: (time.process_time_ns() - began) / 1000 / len(patient.folded)}


def curve(course: Course) -> dict[int, dict[str, float]]:
    """The costs at each size of one patient who grows."""
    writer, patient, found = Writer(course), Patient.new("B-1", Protocol.load()), {}
    for fact in writer.beginning():
        patient = take(patient, fact)
    facts = writer.facts()
    for size in SIZES:
        while len(patient.folded) < size:
            _, fact = next(facts)
            patient = take(patient, fact)
        patient, found[size] = measure(patient, writer)
    return found


def show(title: str, costs: dict[int, dict[str, float]]) -> None:
    head = "".join(f"{size:>10,}" for size in SIZES)
    print(f"{title:<22}{head}{'ratio':>8}")
    for name in costs[SIZES[0]]:
        row = [costs[size][name] for size in SIZES]
        print(f"{name:<22}{''.join(f'{cost:>10.0f}' for cost in row)}{row[-1] / row[0]:>8.1f}")
    print()


def main() -> int:
    show("quiet, us a fact", curve(QUIET))
    show("alarming, us a fact", curve(ALARMING))
    return 0


if __name__ == "__main__":
    sys.exit(main())
