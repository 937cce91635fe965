"""What a demonstration prints at its end: alerts, three of them in full, windows, quarantine, verdicts, places."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from email.message import EmailMessage
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.audit.batch import AlertRow
from monitor.cli.demonstration.findings import Findings
from monitor.cli.demonstration.notices import mail_of, text_of
from monitor.cli.demonstration.stage import Stage
from monitor.cli.demonstration.windows import Window
from monitor.core.alert import LIVE

SHOWN: Final = ("stop.", "mrd.", "restart.window-open")  # of each of these the first alert is shown in full


def print_alerts(console: Console, alerts: Sequence[AlertRow]) -> None:
    """Alerts by rule: how many were raised, how many still ask for somebody, how many are over."""
    table = Table(title=f"{len(alerts)} alerts by rule", title_justify="left")
    for column in ("rule", "priority"):
        table.add_column(column)
    for column in ("raised", "live", "resolved", "withdrawn"):
        table.add_column(column, justify="right")
    by_rule: dict[str, list[AlertRow]] = defaultdict(list)
    for alert in alerts:
        by_rule[alert.rule].append(alert)
    for rule, group in sorted(by_rule.items()):
        statuses = Counter("live" if alert.status in LIVE else alert.status for alert in group)
        priorities = "/".join(sorted({alert.priority for alert in group}))
        counts = [len(group), statuses["live"], statuses["resolved"], statuses["withdrawn"]]
        table.add_row(rule, priorities, *[str(count) if count else "" for count in counts])
    console.print(table)


def print_in_full(console: Console, alerts: Sequence[AlertRow], mails: Sequence[EmailMessage]) -> int:
    """Three alerts as the officer reads them; how many were shown."""
    shown = 0
    for prefix in SHOWN:
        told = ((alert, mail_of(mails, alert.alert_id)) for alert in alerts if alert.rule.startswith(prefix))
        found = next(((alert, mail) for alert, mail in told if mail is not None), None)
        if found is not None:
            alert, mail = found
            console.rule(f"{alert.rule}, as the safety officer reads it", align="left")
            console.print(Text(f"{mail['Subject']}\n\n{text_of(mail).strip()}\n"), soft_wrap=True)
            shown += 1
    return shown


def print_windows(console: Console, windows: Sequence[Window]) -> None:
    """The restart windows, one a patient."""
    table = Table(title="Restart windows after a stop for acute GVHD", title_justify="left")
    for column in ("patient", "window", "stopped (t0)", "opens on", "closes on", "patient is"):
        table.add_column(column)
    for window in windows:
        t0 = f"{window.t0}{' (provisional)' if window.provisional else ''}"
        table.add_row(window.patient, window.state, t0, window.opens_on, window.closes_on, window.protocol_state)
    console.print(table)


def print_quarantine(console: Console, findings: Findings) -> None:
    """Refused messages by reason, each with one example in plain words."""
    table = Table(title=f"{len(findings.refusals)} messages in quarantine", title_justify="left")
    table.add_column("reason")
    table.add_column("messages", justify="right")
    table.add_column("for example")
    example = {refusal.reason: refusal.detail for refusal in reversed(findings.refusals)}
    for reason, count in sorted(findings.refused_by_reason().items()):
        table.add_row(reason, str(count), Text(example[reason]))
    console.print(table)


def print_checks(console: Console, checks: Iterable[tuple[str, bool]]) -> bool:
    """Each promise and whether it was kept; True if all were."""
    kept = True
    for promise, holds in checks:
        console.print(f"[green]yes[/] {promise}" if holds else f"[bold red]NO[/]  {promise}", highlight=False)
        kept = kept and holds
    return kept


def print_places(console: Console, stage: Stage) -> None:
    """Where everything lies."""
    places = {
        "events": stage.trial,
        "audit log": stage.database,
        "mails": stage.mails,
        "metrics": stage.metrics,
        "worker's log": stage.worker_log,
    }
    for name, path in places.items():
        console.print(Text(f"{name + ':':<14}{path}"), soft_wrap=True)
