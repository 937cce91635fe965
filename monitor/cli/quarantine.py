"""`safety-monitor quarantine`: what was refused and why, and reading it again after a mend."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from monitor.audit import kinds
from monitor.audit.acts import record_act
from monitor.audit.log import SqlAuditLog
from monitor.audit.times import utc_text
from monitor.cli.reading.opening import Format, asked, local, print_rows
from monitor.cli.reads import note_read
from monitor.errors import UsageError
from monitor.events.catalogue import TOPICS
from monitor.events.envelope import Reason
from monitor.protocol.timeline import Timeline
from monitor.recorder.retrying import Choice, Kept, again, asked_record, kept_in, retries_in
from monitor.settings import load_settings

SHOWN: Final = 50  # messages: the newest; the sums above them count all

Topic = Annotated[str | None, typer.Option(help="Of this topic alone.")]
Why = Annotated[str | None, typer.Option("--reason", help="Refused for this reason alone.")]
Source = Annotated[str | None, typer.Option(help="Of this source alone.")]


def show_list(
    topic: Topic = None,
    reason: Why = None,
    source: Source = None,
    every: Annotated[bool, typer.Option("--all", help="Those that have been read again, too.")] = False,
    output: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TEXT,
) -> None:
    """List the messages that were refused: the sums by topic, source and reason, then the newest."""
    found, tz = asked(lambda log, files: _found(log, files, _choice((), topic, reason, source), every=every))
    note_read("quarantine list", topic=topic, reason=reason, source=source)
    if output is Format.JSON:
        for kept in found:
            typer.echo(json.dumps(_to_json(kept), ensure_ascii=False))
        return
    sums = Counter((each.origin.topic, each.refused.source or "?", each.refused.reason.value) for each in found)
    print_rows(("messages", "topic", "source", "reason"), [(str(n), *key) for key, n in sums.most_common()])
    rows = [
        (
            str(each.sequence),
            local(each.recorded_at, tz),
            each.origin.topic,
            each.refused.reason.value,
            each.refused.detail,
        )
        for each in reversed(found[-SHOWN:])
    ]
    print_rows(("record", "refused", "topic", "reason", "what is wrong"), rows)
    typer.echo(f"{len(found)} messages; times are those of the site ({tz.key})")


def show(record: Annotated[int, typer.Argument(help="The sequence of the record on the log.")]) -> None:
    """Show one refused message as it came, why it was refused, and whether it could be read now."""
    found, tz = asked(lambda log, files: _found(log, files, _choice((record,), None, None, None), every=True))
    note_read("quarantine show", record=record)
    if not found:
        raise UsageError(f"record {record} of the log is no refused message")
    (kept,) = found
    refused, origin = kept.refused, kept.origin
    readable = bool(again(found, tz, load_settings().max_message_bytes))
    typer.echo(f"record {kept.sequence}: from {origin.topic}/{origin.partition} at offset {origin.offset}")
    typer.echo(f"refused {local(kept.recorded_at, tz)}: {refused.reason.value}: {refused.detail}")
    typer.echo(f"now it {'can' if readable else 'cannot'} be read")
    for name, value in refused.headers:
        typer.echo(f"{name}: {value!r}")
    typer.echo(refused.raw.decode(errors="backslashreplace"))


def retry(
    actor: Annotated[str, typer.Option(help="Who you are: your id in the trial, not your name.")],
    note: Annotated[str, typer.Option(help="What was mended.")],
    records: Annotated[list[int] | None, typer.Argument(help="Sequences of their records on the log.")] = None,
    topic: Topic = None,
    reason: Why = None,
    source: Source = None,
    every: Annotated[bool, typer.Option("--all", help="All that is kept.")] = False,
) -> None:
    """Have refused messages read again after a mend: those that can be read now become facts, from where they came.

    The request is recorded; the worker takes it up within seconds. What still cannot be read stays where it is.
    """
    if not (records or topic or reason or source or every):
        raise UsageError("say which: records, --topic, --reason, --source, or --all")
    choice = _choice(tuple(records or ()), topic, reason, source)
    found, tz = asked(lambda log, files: _found(log, files, choice, every=False))
    if not found:
        raise UsageError("no message that was refused is meant by that")
    settings, now = load_settings(), datetime.now(UTC)
    readable = again(found, tz, settings.max_message_bytes)
    if not readable:
        raise UsageError(f"none of the {len(found)} messages can be read now: see `quarantine list` for what is wrong")
    choice = _choice(choice.sequences, topic, reason, source, until=found[-1].sequence)
    record = asked_record(choice, actor=actor, why=note, now=now)
    asyncio.run(record_act(settings.log_url, record, now))
    typer.echo(f"asked by {actor}: {len(readable)} of {len(found)} messages can be read now; the worker records them")


def _choice(
    sequences: tuple[int, ...], topic: str | None, reason: str | None, source: str | None, until: int | None = None
) -> Choice:
    if topic is not None and topic not in TOPICS:
        raise UsageError(f"no such topic: {topic}; there are {', '.join(sorted(TOPICS))}")
    if reason is not None and reason not in tuple(Reason):
        raise UsageError(f"no such reason: {reason}; there are {', '.join(Reason)}")
    end = 2**62 if until is None else until
    return Choice(until=end, sequences=sequences, topic=topic, reason=reason, source=source)


async def _found(log: SqlAuditLog, files: Timeline, choice: Choice, *, every: bool) -> tuple[list[Kept], ZoneInfo]:
    """The messages that are meant, in the order of the log."""
    accepted = set() if every else retries_in(await log.stream(kinds.SYSTEM_RETRIES)).accepted
    found = [kept async for kept in _kept(log) if kept.sequence not in accepted and choice.takes(kept)]
    return sorted(found, key=lambda kept: kept.sequence), files.latest.tz


async def _kept(log: SqlAuditLog) -> AsyncIterator[Kept]:
    for topic in sorted(TOPICS):
        async for record in log.read(stream=kinds.quarantine_stream(topic)):
            if (kept := kept_in(record)) is not None:
                yield kept


def _to_json(kept: Kept) -> dict[str, object]:
    refused, origin = kept.refused, kept.origin
    return {
        "record": kept.sequence,
        "recorded_at": utc_text(kept.recorded_at),
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "subject": refused.subject,
        "source": refused.source,
        "type": refused.type,
        "reason": refused.reason.value,
        "detail": refused.detail,
    }
