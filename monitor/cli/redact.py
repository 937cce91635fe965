"""`safety-monitor redact`: personal data entered by mistake is erased, and that it was is recorded."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Final

import typer

from monitor.audit.log import SqlAuditLog
from monitor.audit.redacting import planning
from monitor.audit.redacting.planning import Redaction
from monitor.audit.redacting.request import Request
from monitor.cli.actor import actor
from monitor.clock import WallClock
from monitor.errors import DatabaseInUse, UsageError, VersionConflict
from monitor.protocol.model import Protocol
from monitor.settings import Settings, load_settings

ATTEMPTS: Final = 5
"""A patient's history may go on between the plan and the transaction."""

COPIES: Final = """\
What still holds it, and for how long, nobody can say here: the topic it came by and safety.quarantine (Kafka's
retention), notices that were sent, exports that were handed out, backups and replicas of the database with their keys
(docs/operations.md, "After a redaction")."""


def redact(
    records: Annotated[list[int] | None, typer.Argument(help="Sequences of records on the log (timeline).")] = None,
    why: Annotated[str, typer.Option(help="Why, in words that name nobody: they stay on the log.")] = "",
    patient: Annotated[str | None, typer.Option(help="Erase all of this patient.")] = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="After a restore: erase anew what the log says was redacted, and keys that fit no record.",
        ),
    ] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Leave nothing, if nothing that stands rests on it.")] = False,
) -> None:
    """Erase what people wrote into records. What rules read stays, so that nothing is decided otherwise."""
    settings = load_settings()
    if again:
        returned, ahead = asyncio.run(_again(settings))
        typer.echo(f"{returned} records are erased again, as the log says of them.")
        if ahead:
            typer.echo(
                f"{ahead} keys of records that are not on this log are gone: nothing could be appended over them."
            )
        return
    if not why.strip():
        raise UsageError("say why: --why TEXT (it stays on the log, so it must name nobody)")
    if bool(records) == bool(patient):
        raise UsageError("name the records, or one --patient")
    request = Request(why.strip(), actor(), WallClock().now(), whole=whole)
    done = asyncio.run(_redact(settings, records or [], patient, request))
    for sequence, redaction in done:
        typer.echo("\n".join(_told(sequence, redaction)))
    typer.echo(COPIES)


async def _opened(settings: Settings) -> SqlAuditLog:
    try:
        return await SqlAuditLog.open(settings.log_url, briefly=True)
    except DatabaseInUse as error:
        raise UsageError("a worker writes to this log: stop it, redact, start it again") from error


async def _again(settings: Settings) -> tuple[int, int]:
    log = await _opened(settings)
    try:
        return await log.erase_again()
    finally:
        await log.close()


async def _redact(
    settings: Settings, records: list[int], patient: str | None, request: Request
) -> list[tuple[int, Redaction]]:
    log = await _opened(settings)
    protocol = Protocol.load(settings.protocol)
    done: list[tuple[int, Redaction]] = []
    try:
        if patient is not None:
            return [await _done(log, partial(planning.of_patient, log, patient, request))]
        for sequence in records:
            if not any(sequence in redaction.records for _, redaction in done):  # a copy of one before it
                done.append(await _done(log, partial(planning.of_record, log, protocol, sequence, request)))
    finally:
        await log.close()
    return done


async def _done(log: SqlAuditLog, plan: Callable[[], Awaitable[Redaction]]) -> tuple[int, Redaction]:
    """Plan and do it, anew where the patient's history went on in between; the sequence of its record."""
    for _ in range(ATTEMPTS):
        redaction = await plan()
        try:
            [act] = await log.erase(redaction.erasure)
        except VersionConflict:
            continue
        return act.sequence, redaction
    raise VersionConflict("of the patient", 0, 0)


def _told(sequence: int, redaction: Redaction) -> list[str]:
    """What was erased and what stays."""
    if not redaction.records:
        lines = [f"Record {sequence}: all that was known of patient {redaction.patient} is erased."]
        return lines + [f"No longer told of: {row.rule} {row.alert_id} ({row.status})" for row in redaction.alerts]
    lines = []
    for number, left in sorted(redaction.records.items()):
        lines.append(
            f"Record {number} is redacted by record {sequence}; " + (f"left: {left}" if left else "nothing is left")
        )
    return lines
