"""`safety-monitor timeline`: what happened to a patient."""

import json
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from monitor.audit import kinds
from monitor.audit.log import SqlAuditLog
from monitor.cli.reading.course import Happening, course
from monitor.cli.reading.opening import Format, asked, local, print_rows
from monitor.cli.reads import note_read
from monitor.errors import UsageError
from monitor.notify.figures import plain
from monitor.protocol.timeline import Timeline


def timeline(
    patient: Annotated[str, typer.Argument(help="The patient's study number.")],
    by: Annotated[
        Literal["clinical", "known"], typer.Option(help="In order of clinical time, or as the monitor came to know it.")
    ] = "clinical",
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """Show what happened to a patient: facts, corrections, deadlines, alerts, notices, and what people did."""

    async def read(log: SqlAuditLog, files: Timeline) -> tuple[list[Happening], ZoneInfo]:
        facts = await log.stream(kinds.patient_stream(patient))
        if not facts:
            raise UsageError(f"the log knows no patient {patient}")
        decided = await log.stream(kinds.alert_stream(patient))
        sent = await log.stream(kinds.delivery_stream(patient))
        tz = files.latest.tz
        return course(facts, decided, sent, tz, by_known=by == "known"), tz

    found, tz = asked(read)
    note_read("timeline", patient=patient)
    if output is Format.JSON:
        typer.echo(json.dumps([each.to_json() for each in found], indent=1, ensure_ascii=False))
        return
    rows = [
        (local(each.at, tz), local(each.known_at, tz), each.kind, _said(each, tz), each.reference) for each in found
    ]
    print_rows(("when", "known", "", "what", "reference"), rows, under=True)
    typer.echo(f"{len(found)} entries; times are those of the site ({tz.key})")


def _said(each: Happening, tz: ZoneInfo) -> str:
    """What the monitor says with times of the site; what others sent as they sent it."""
    return plain(each.what, tz) if each.kind == "alert" else each.what
