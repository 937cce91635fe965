"""How many alerts people get: `make bench-alerts` counts those of the synthetic trial, per patient and month.

A month is 30 days from a patient's enrolment to the end of the trial (or of the patient's time on study).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from monitor.core.simulation import Simulation
from monitor.events.codec import decode
from monitor.events.envelope import Received
from monitor.generate.trial import generate_trial
from monitor.protocol.model import Protocol

PATIENTS, SEED, DAYS = 51, 7, 730
MONTH_DAYS = 30


def enrolments(lines: Sequence[bytes]) -> dict[str, datetime]:
    """When each patient was enrolled."""
    found: dict[str, datetime] = {}
    for line in lines:
        event = decode(line, site_timezone=Protocol.load().tz) if b"patient.enrolled" in line else None
        if isinstance(event, Received):
            found.setdefault(event.subject, event.time)
    return found


def main() -> int:
    simulation = Simulation(Protocol.load())
    trial = generate_trial(PATIENTS, SEED, DAYS)
    lines = [line.text.encode() for line in trial.lines]
    for line in lines:
        simulation.read(line)
    result = simulation.result()
    until = datetime.fromisoformat(str(result["until"]))
    patients = result["patients"]
    if not isinstance(patients, dict):
        raise TypeError("a simulation without patients")
    enrolled = enrolments(lines)
    months = sum((until - at).days for at in enrolled.values()) / MONTH_DAYS
    alerts = [alert for shown in patients.values() for alert in shown["alerts"]]
    print(f"{len(enrolled)} patients, {months:.0f} patient-months, seed {SEED}")
    print(f"{'priority':>10} {'alerts':>7} {'per patient-month':>18} {'revisions':>10}")
    for priority in ("high", "medium", "low"):
        of_priority = [alert for alert in alerts if alert["priority"] == priority]
        revisions = sum(alert["revision"] - 1 for alert in of_priority)
        print(f"{priority:>10} {len(of_priority):>7} {len(of_priority) / months:>18.3f} {revisions:>10}")
    for rule, count in Counter(alert["rule"] for alert in alerts).most_common():
        print(f"{count:>18} {rule}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
