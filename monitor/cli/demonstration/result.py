"""What came of a demonstration, what it promised, and whether the promises were kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

from rich.console import Console
from rich.text import Text

from monitor.cli.demonstration import report
from monitor.cli.demonstration.findings import Findings
from monitor.cli.demonstration.process import Said
from monitor.cli.demonstration.stage import Stage
from monitor.cli.demonstration.streaming import Streamed
from monitor.generate.trial import Trial


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that a demonstration left behind."""

    trial: Trial
    streamed: Streamed
    worker_code: int
    mails: tuple[EmailMessage, ...]
    findings: Findings
    verified: Said


def tell(result: Result, stage: Stage, console: Console) -> bool:
    """Print the report; True if every promise was kept."""
    findings = result.findings
    report.print_alerts(console, findings.alerts)
    shown = report.print_in_full(console, findings.alerts, result.mails)
    report.print_windows(console, findings.windows)
    report.print_quarantine(console, findings)
    said = (result.verified.out or result.verified.err).strip()
    console.print(Text(f"verify: {said}"))
    rate = result.streamed.messages / result.streamed.seconds
    pace = f"{result.streamed.messages} messages in {result.streamed.seconds:.1f} s, {rate:.0f} events/s"
    console.print(f"{pace}: decoded, assessed, recorded; {findings.records} records on the log", highlight=False)
    kept = report.print_checks(console, _promises(result, shown))
    report.print_places(console, stage)
    return kept


def _promises(result: Result, shown: int) -> Iterator[tuple[str, bool]]:
    findings = result.findings
    patients = sum(1 for patient in findings.patients if patient.enrolled)
    taken, sent = result.streamed.metrics.taken, result.streamed.messages
    yield f"all {sent} messages are accounted for", taken == sent
    yield (
        "exactly what was broken on purpose is in quarantine, for the right reasons",
        findings.refused_by_reason() == result.trial.broken,
    )
    assessed = patients > 0 and not findings.not_assessed()
    yield f"{patients} patients are enrolled and each of them could be assessed", assessed
    yield f"{len(findings.alerts)} alerts were raised, {shown} are shown above", bool(findings.alerts) and shown > 0
    yield f"{len(findings.windows)} restart windows were followed", bool(findings.windows) or not _stopped(findings)
    yield (
        f"{findings.receipts} notices were delivered, and none waits",
        findings.waiting == 0 and len(result.mails) >= findings.receipts > 0,
    )
    yield "verify finds the log whole, and every decision on it again", result.verified.code == 0
    yield "the worker drained and ended when it was told to", result.worker_code == 0


def _stopped(findings: Findings) -> bool:
    """True if somebody was stopped for acute GVHD for good reason: then there must be a window."""
    return any(alert.rule == "stop.acute-gvhd" and alert.status != "withdrawn" for alert in findings.alerts)
