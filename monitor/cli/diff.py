"""`safety-monitor diff`: a record's versions, old and new value, by whom, when, and why."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from monitor.audit import kinds
from monitor.audit.log import SqlAuditLog
from monitor.audit.records import Record
from monitor.cli.reading.facts import Told, told_in
from monitor.cli.reading.opening import Format, asked, local
from monitor.cli.reading.versions import by_record, field_changes
from monitor.cli.reads import note_read
from monitor.core.times import show
from monitor.errors import UsageError
from monitor.protocol.timeline import Timeline

Found = tuple[str, list[Told]]


def diff(
    record: Annotated[str, typer.Argument(help="The record's id, as in the basis of an alert.")],
    patient: Annotated[str | None, typer.Option(help="Of this patient alone (quicker on a long log).")] = None,
    source: Annotated[str | None, typer.Option(help="Of this source alone.")] = None,
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """Show what each version of a record changed: old and new value, who sent it, when, and why."""

    async def read(log: SqlAuditLog, files: Timeline) -> tuple[list[Found], ZoneInfo]:
        streams = await _streams(log, record, patient)
        return [found for name, records in streams.items() for found in _of(record, name, records)], files.latest.tz

    found, tz = asked(read)
    found = [each for each in found if source is None or each[1][0].key[0] == source]
    if not found:
        raise UsageError(f"the log knows no record {record}" + (f" of patient {patient}" if patient else ""))
    note_read("diff", patient=patient, record=record, source=source)
    if output is Format.JSON:
        typer.echo(json.dumps([_to_json(*each) for each in found], indent=1, ensure_ascii=False))
        return
    for name, versions in found:
        typer.echo("\n".join(_lines(name, versions, tz)))


async def _streams(log: SqlAuditLog, record: str, patient: str | None) -> dict[str, list[Record]]:
    if patient is not None:
        return {patient: await log.stream(kinds.patient_stream(patient))}
    streams: dict[str, list[Record]] = {}
    quoted = json.dumps(record, ensure_ascii=False)
    async for each in log.read():
        if quoted in each.payload and (name := kinds.patient_of(each.stream)) is not None:
            streams.setdefault(name, []).append(each)
    return streams


def _of(record: str, patient: str, records: Sequence[Record]) -> list[Found]:
    grouped = by_record(told_in(records))
    return [(patient, versions) for (_, name), versions in grouped.items() if name == record]


def _lines(patient: str, versions: Sequence[Told], tz: ZoneInfo) -> list[str]:
    first = versions[0]
    lines = [f"{first.kind}, record {first.key[1]} of patient {patient}, from {first.key[0]}"]
    lines += [_headed(first, tz), f"    {first.figures}"]
    for before, after in pairwise(versions):
        lines.append(_headed(after, tz))
        lines += [f"    {change}" for change in field_changes(before, after)] or ["    nothing changed"]
    return lines


def _headed(each: Told, tz: ZoneInfo) -> str:
    block = each.block
    if block is None:
        return ""
    issued = local(each.event.time, tz) if each.event.time else "?"
    known = local(each.record.known_at, tz)
    why = f": {block.reason}" if block.reason else ""
    head = f"  version {block.record_version}, {block.status.value}, issued {issued}, known {known}, by"
    line = f"{head} {each.record.actor}{why} (log record {each.record.sequence})"
    return f"{line}\n    {redaction}" if (redaction := each.redaction(tz)) else line


def _to_json(patient: str, versions: Sequence[Told]) -> dict[str, Any]:
    shown = []
    for before, after in pairwise([None, *versions]):
        changes = field_changes(before, after) if before and after else ()
        if after is not None:
            changed = [{"field": each.name, "old": _plain(each.old), "new": _plain(each.new)} for each in changes]
            shown.append({**after.to_json(), "changes": changed})
    return {
        "patient": patient,
        "source": versions[0].key[0],
        "record_id": versions[0].key[1],
        "effective_at": show(versions[-1].effective),
        "versions": shown,
    }


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | str | list | dict) else str(value)
