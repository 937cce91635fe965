"""Every rule as people read it: the notice of the first alert that a history of tests/scenarios raises by it.

UPDATE_GOLDEN=1 writes the golden texts anew; read them aloud before you commit them.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.core.alert import Change
from monitor.core.finding import Priority
from monitor.core.patient import Entry, Patient
from monitor.events.codec import decode
from monitor.events.envelope import Received, Refused
from monitor.notify.render import Style, render
from monitor.operations.reconciling import alert_of
from monitor.operations.trouble import Trouble
from monitor.protocol.model import Protocol

from .alerts import NOW
from .rules import RULES

SCENARIOS = Path(__file__).parent.parent / "scenarios"
GOLDEN = Path(__file__).parent / "golden" / "rules"
QUIET = Style(ZoneInfo("Asia/Shanghai"))

# What the monitor says of itself follows from no history: a summary as its check writes it.
OF_ITSELF = {
    "ops.assessment-failed": "The monitor could not assess this patient because of a mistake of its own.",
    "ops.history-size": "The history of 2 patients has more than 20000 records",
    "ops.log-broken": "Record 4711 of the audit log does not hold: its hash is not that of its content",
    "ops.notice-undelivered": "A notice of high priority, reference a1b2c3d4e5f60718, did not reach officer "
    "in 5 attempts, the last: the mail server refused it",
    "ops.quarantine-share": "31 of 120 messages from /shgh/lis on safety.lab could not be read, "
    "in this hour and the one before",
    "ops.source-silent": "Nothing has come from /shgh/lis on safety.lab for 2 days and more",
    "ops.stop-in-doubt": "The stop that alert a1b2c3d4e5f60718 told of is not found by the newer rules; "
    "it stays until people decide",
}

# The history that each rule is heard in.
HEARD_IN = {
    "stop.life-threatening": "23-life-threatening",
    "stop.acute-gvhd": "18-agvhd-organs-missing",
    "stop.chronic-gvhd": "20-cgvhd-severity",
    "stop.overlap": "138-derived-overlap",
    "stop.relapse": "22-relapse",
    "stop.graft-rejection": "249-graft-function",
    "stop.chimerism": "12-chimerism-boundary",
    "stop.basis-retracted": "32-stop-corrected",
    "treatment.dose-after-stop": "30-late-result",
    "mrd.rising": "07-mrd-over-one-log",
    "mrd.positive": "09-mrd-conversion",
    "mrd.baseline-positive": "08-mrd-nadir",
    "mrd.confirmation-due": "07-mrd-over-one-log",
    "mrd.rise-borderline": "06-mrd-exactly-one-log",
    "mrd.series-break": "10-mrd-mixed-assays",
    "mrd.sensitivity-changed": "218-mrd-sensitivity",
    "mrd.low-level": "216-mrd-low-and-baseline",
    "gvhd.boundary-grade": "201-reading-stop-grade-3",
    "gvhd.incomplete": "201-reading-stop-grade-3",
    "gvhd.grade-mismatch": "17-agvhd-mismatch",
    "gvhd.chronic-mild": "20-cgvhd-severity",
    "restart.window-open": "24-restart-opens",
    "restart.window-closing": "26-restart-expires",
    "restart.window-expired": "26-restart-expires",
    "restart.window-blocked": "128-blocked",
    "restart.window-invalidated": "27-restart-invalidated",
    "restart.outside-window": "116-restart-a-day-late",
    "restart.second": "117-second-restart",
    "eligibility.stop-criterion": "245-eligibility-stop-criterion",
    "eligibility.failed": "242-eligibility-laboratory",
    "eligibility.incomplete": "242-eligibility-laboratory",
    "start.too-early": "02-start-window",
    "start.too-late": "229-start-window-bounds",
    "start.window-conflict": "02-start-window",
    "azacitidine.dose": "230-azacitidine-dose",
    "azacitidine.days": "231-azacitidine-days",
    "azacitidine.cycle-early": "232-azacitidine-cycles",
    "azacitidine.cycle-late": "232-azacitidine-cycles",
    "azacitidine.cycle-count": "233-azacitidine-thirteenth-cycle",
    "dli.dose": "04-dli-dose",
    "dli.active-gvhd": "238-dli-active-gvhd",
    "dli.premedication-missing": "05-premedication",
    "dli.steroid": "05-premedication",
    "dli.too-soon": "03-dli-48-hours",
    "dli.count": "235-dli-count",
    "dli.interval-short": "234-dli-interval",
    "dli.interval-long": "234-dli-interval",
    "dli.schedule-conflict": "239-dli-schedule-conflict",
    "monitoring.overdue": "241-monitoring-overdue",
    "chimerism.falling": "12-chimerism-boundary",
    "chimerism.non-marrow-low": "13-chimerism-specimen",
    "relapse.blood-blasts": "22-relapse",
    "graft.function": "249-graft-function",
    "lab.grade-4": "226-lab-grade-4",
    "pregnancy.positive": "227-pregnancy",
    "report.susar-clock": "228-susar",
    "data.conflict": "248-data-conflict",
    "data.unit-unknown": "14-chimerism-unit",
    "data.implausible": "247-data-alerts",
    "data.refused": "247-data-alerts",
    "data.unsigned-decision": "108-unsigned-restart",
}


def test_every_rule_is_heard() -> None:
    assert [*HEARD_IN, *OF_ITSELF] == RULES, "name a history of tests/scenarios in which the rule is heard"
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reads_as_it_was_approved(rule: str) -> None:
    notice = render(of_itself(rule) if rule in OF_ITSELF else heard(rule), QUIET)
    text = f"{notice.title}\n{'=' * len(notice.title)}\n{notice.body}"
    file = GOLDEN / f"{rule}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def of_itself(rule: str) -> Change:
    priority: Priority = "medium" if rule in ("ops.history-size", "ops.source-silent") else "high"
    alert = alert_of(Trouble(rule, "", NOW - timedelta(hours=2), OF_ITSELF[rule], priority), NOW)
    return Change("raised", alert, None, NOW)


def heard(rule: str) -> Change:
    return next(change for change in raised_in(HEARD_IN[rule]) if change.alert.rule == rule)


@cache
def raised_in(name: str) -> tuple[Change, ...]:
    """What people are told of in a history as it goes on, patient by patient."""
    expected = json.loads((SCENARIOS / f"{name}.expect.json").read_text())
    protocol = Protocol.load(SCENARIOS / expected["protocol"] if "protocol" in expected else None)
    lines = (SCENARIOS / f"{name}.events.jsonl").read_bytes().splitlines()
    events = [decode(line, site_timezone=protocol.tz) for line in lines]
    found: list[Change] = []
    for subject in sorted(expected["patients"]):
        theirs = [e for e in events if isinstance(e, Received | Refused) and e.subject == subject]
        found += told(Patient.new(subject, protocol), theirs, datetime.fromisoformat(expected["until"]))
    return tuple(found)


def told(patient: Patient, events: list[Received | Refused], until: datetime) -> Iterator[Change]:
    clock = datetime(2000, 1, 1, tzinfo=UTC)
    for event in events:
        clock = max(clock, event.time or clock)
        patient, ticks = patient.advance(clock, sweep=True)
        patient, steps = patient.receive(Entry(event, clock))
        yield from (change for step in (*ticks, *steps) for change in step.changes if change.kind == "raised")
    _, ticks = patient.advance(until.astimezone(UTC), sweep=True)
    yield from (change for step in ticks for change in step.changes if change.kind == "raised")
