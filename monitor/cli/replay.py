"""`safety-monitor replay`: the log folded again, as of a time or under another protocol file."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from monitor.audit.log import SqlAuditLog
from monitor.audit.replay import Replay
from monitor.audit.replay import replay as replay_log
from monitor.cli.simulate import text
from monitor.errors import UsageError
from monitor.protocol.model import Protocol
from monitor.settings import Settings, load_settings

FAILED = 1


def replay(
    patient: Annotated[str | None, typer.Option(help="One patient alone.")] = None,
    as_of: Annotated[str | None, typer.Option(help="What was known then (RFC 3339).")] = None,
    protocol: Annotated[Path | None, typer.Option(help="What another protocol file would have raised.")] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="What to print.")] = "text",  # noqa: A002 - the option's name
) -> None:
    """Fold the log again and show each patient's states, window and alerts."""
    at = None if as_of is None else _instant(as_of)
    found = asyncio.run(_replay(load_settings(), at, patient, protocol))
    if patient is not None and patient not in found.patients and patient not in found.failed:
        raise UsageError(f"the log knows no patient {patient} at that time")
    shown = found.to_json()
    typer.echo(json.dumps(shown, indent=1, ensure_ascii=False) if format == "json" else text(shown).rstrip("\n"))
    if found.failed:
        typer.echo(f"the assessment fails for {', '.join(found.failed)}", err=True)
        raise typer.Exit(FAILED)


async def _replay(settings: Settings, as_of: datetime | None, patient: str | None, protocol: Path | None) -> Replay:
    chosen = Protocol.load(protocol or settings.protocol)
    log = await SqlAuditLog.open(settings.database_url.get_secret_value(), writing=False)
    try:
        return await replay_log(log, chosen, as_of=as_of, patient=patient, what_if=protocol is not None)
    finally:
        await log.close()


def _instant(stamp: str) -> datetime:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        raise UsageError(f"--as-of {stamp!r} is not a time; write it as 2025-06-30T09:00:00+08:00") from None
    if at.tzinfo is None:
        raise UsageError(f"--as-of {stamp!r} has no zone; write it as 2025-06-30T09:00:00+08:00")
    return at
