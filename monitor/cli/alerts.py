"""`safety-monitor alerts`: the officer's queue."""

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.audit.batch import AlertRow
from monitor.audit.log import SqlAuditLog
from monitor.cli.reading.opening import Format
from monitor.cli.reads import note_read
from monitor.core.alert import LIVE
from monitor.events.canonical import utc
from monitor.notify.figures import plain
from monitor.notify.texts import text_for
from monitor.notify.when import spoken
from monitor.protocol.model import Protocol
from monitor.settings import load_settings

_RANKS: Final = {"high": 0, "medium": 1, "low": 2}
_REFERENCE: Final = 16  # digits: all of most alerts', and enough of any for the commands that take one
_PATIENT: Final = 16  # characters; a longer number is broken
_STATUSES: Final = {"firing": 0, "acknowledged": 1, "shelved": 2}


def alerts(
    patient: Annotated[str | None, typer.Option(help="Of this patient alone.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    output: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TEXT,
) -> None:
    """List the alerts that wait for somebody: the most urgent first, then the oldest."""
    settings = load_settings()
    url = settings.log_url
    found = sorted(asyncio.run(read_alerts(url, patient, every=every)), key=_urgency)
    note_read("alerts", patient=patient)
    if output is Format.JSON:
        for row in found:
            typer.echo(json.dumps({"patient": row.patient, **json.loads(row.content)}, ensure_ascii=False))
        return
    if not found:
        typer.echo("No alert waits for anybody.")
        return
    tz = Protocol.load(settings.protocol).tz
    console = Console()
    if console.is_terminal:
        console.print(_table(found, tz))
        return
    for row in found:  # for a program: a line a row
        typer.echo("\t".join(_cells(row, tz)))


async def read_alerts(url: str, patient: str | None, *, every: bool) -> Sequence[AlertRow]:
    """Alerts in the log's read model. Raises DatabaseUnavailable, SchemaMissing."""
    log = await SqlAuditLog.open(url, writing=False)
    try:
        return await log.alerts(patient=patient, statuses=None if every else LIVE)
    finally:
        await log.close()


def _urgency(row: AlertRow) -> tuple[int, int, str, str]:
    return (_RANKS.get(row.priority, 0), _STATUSES.get(row.status, len(_STATUSES)), utc(row.raised_at), row.alert_id)


def _table(rows: Sequence[AlertRow], tz: ZoneInfo) -> Table:
    """Four columns, so that what happened can be read on eighty; a reference is never broken: it is to be copied."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 1, 0))
    table.add_column("reference", no_wrap=True, overflow="ignore", min_width=_REFERENCE)
    table.add_column("priority", no_wrap=True)
    table.add_column("patient", overflow="fold", max_width=_PATIENT)
    table.add_column("what", overflow="fold")
    for row in rows:
        summary = plain(json.loads(row.content).get("summary", ""), tz)
        what = f"{text_for(row.rule).title}\n{summary}\nraised {spoken(row.raised_at, tz)}"
        cells = (row.alert_id[:_REFERENCE], f"{row.priority}\n{row.status}", row.patient, what)
        table.add_row(*map(Text, cells))  # as it is: what a fact says is no markup
    return table


def _cells(row: AlertRow, tz: ZoneInfo) -> tuple[str, ...]:
    what = f"{text_for(row.rule).title}: {plain(json.loads(row.content).get('summary', ''), tz)}"
    return (row.alert_id, row.priority, row.status, row.patient, spoken(row.raised_at, tz), what)
