"""`safety-monitor explain`: why an alert fired, what became of it, and who was told."""

import json
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from monitor.audit import kinds
from monitor.audit.log import SqlAuditLog
from monitor.cli.acknowledge import find_alert
from monitor.cli.reading.explained import as_text
from monitor.cli.reading.explanation import Explanation, explain_alert
from monitor.cli.reading.opening import Format, asked
from monitor.cli.reads import note_read
from monitor.protocol.timeline import Timeline


def explain(
    alert: Annotated[str, typer.Argument(help="The alert's reference, or its beginning.")],
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """Say why an alert fired: facts then and now, clause, reading, limits, revisions, who was told, what people did."""

    async def read(log: SqlAuditLog, files: Timeline) -> tuple[Explanation, ZoneInfo]:
        row = find_alert(alert, await log.alerts())
        facts = await log.stream(kinds.patient_stream(row.patient))
        sent = await log.stream(kinds.delivery_stream(row.patient))
        # The monitor's own alerts, and what was said of them, stand in streams of the system.
        streams = dict.fromkeys((kinds.alert_stream(row.patient), kinds.SYSTEM, kinds.SYSTEM_ALERTS))
        decided = [record for name in streams for record in await log.stream(name)]
        decided.sort(key=lambda record: record.sequence)
        found = explain_alert(row.patient, row.alert_id, facts, decided, sent, files)
        return found, files.latest.tz

    found, tz = asked(read)
    note_read("explain", patient=found.patient or None, alert=alert)
    if output is Format.JSON:
        typer.echo(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
        return
    typer.echo(as_text(found, tz))
