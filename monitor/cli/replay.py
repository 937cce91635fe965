"""`safety-monitor replay`: the log folded again: what was known then, what was so then, what another file would say."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.audit.log import SqlAuditLog
from monitor.audit.replay import Replay
from monitor.audit.replay import replay as replay_log
from monitor.audit.what_if import Since, WhatIf, what_if
from monitor.cli.instants import instant
from monitor.cli.reading.opening import Format
from monitor.cli.reads import note_read
from monitor.cli.simulate import text
from monitor.errors import UsageError
from monitor.protocol.model import Protocol
from monitor.settings import Settings, load_settings

FAILED = 1


def replay(
    patient: Annotated[str | None, typer.Option(help="One patient alone.")] = None,
    as_of: Annotated[str | None, typer.Option(help="What was known then (RFC 3339).")] = None,
    effective: Annotated[
        str | None, typer.Option(help="What was so at that clinical time, by what is known now (or was, --as-of).")
    ] = None,
    protocol: Annotated[
        Path | None, typer.Option(help="What another protocol file would change, against what was recorded.")
    ] = None,
    since: Annotated[
        Since, typer.Option(help="With --protocol: as if in force since the beginning, or from now on (lifts no stop).")
    ] = Since.BEGINNING,
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TEXT,
) -> None:
    """Fold the log again and show each patient's states, window and alerts."""
    if protocol is not None and effective is not None:
        raise UsageError("--protocol and --effective ask different questions: give one of them")
    times = (instant("--as-of", as_of), instant("--effective", effective))
    found = asyncio.run(_replay(load_settings(), times, patient, protocol, since))
    folded = found.replay if isinstance(found, WhatIf) else found
    if patient is not None and patient not in folded.patients and patient not in folded.failed:
        raise UsageError(f"the log knows no patient {patient} at that time")
    note_read("replay", patient=patient, as_of=as_of, effective=effective, protocol=protocol)
    if output is Format.JSON:
        typer.echo(json.dumps(found.to_json(), indent=1, ensure_ascii=False))
    elif isinstance(found, WhatIf):
        typer.echo("\n".join(_changes(found, since)))
    else:
        shown = found.to_json()
        if effective is not None:
            typer.echo(f"what was so at {shown['effective']}, by what was known")
        typer.echo(text(shown).rstrip("\n"))
    if folded.failed:
        typer.echo(f"the assessment fails for {', '.join(folded.failed)}", err=True)
        raise typer.Exit(FAILED)


async def _replay(
    settings: Settings,
    times: tuple[datetime | None, datetime | None],
    patient: str | None,
    protocol: Path | None,
    since: Since,
) -> Replay | WhatIf:
    as_of, effective = times
    otherwise = Protocol.load(settings.protocol)
    other = Protocol.load(protocol) if protocol else None
    log = await SqlAuditLog.open(settings.log_url, writing=False)
    try:
        if other is not None:
            return await what_if(log, other, otherwise, since=since, as_of=as_of, patient=patient)
        return await replay_log(log, otherwise, as_of=as_of, effective=effective, patient=patient)
    finally:
        await log.close()


def _changes(found: WhatIf, since: Since) -> Iterator[str]:
    file = found.replay.protocol
    when = "since the beginning" if since is Since.BEGINNING else "from now on"
    known = found.replay.to_json()["until"]
    yield f"as of {known}, if protocol {file.id} {file.version} were in force {when}, against what was recorded:"
    for name, compared in sorted(found.changes.items()):
        yield f"\n{name}"
        for state, (old, new) in (compared.states or {}).items():
            yield f"  {state.replace('_', ' ')}: {_state(old)} -> {_state(new)}"
        yield from (f"  come    {_alert(alert)}" for alert in compared.come)
        yield from (f"  go      {_alert(alert)}" for alert in compared.go)
        for alert, changes in compared.change:
            yield f"  change  {_alert(alert)}"
            yield from (f"            {field}: {old} -> {new}" for field, (old, new) in changes.items())
    counts = [sum(len(getattr(each, kind)) for each in found.changes.values()) for kind in ("come", "go", "change")]
    alerts = "{} alerts come, {} go, {} change".format(*counts)
    yield f"\n{len(found.changes)} of {len(found.replay.patients)} patients: {alerts}"


def _alert(alert: Mapping[str, Any]) -> str:
    head = f"{alert['effective_at']:<20}  {alert['priority']:<6}  {alert['status']:<12}"
    return f"{head}  {alert['rule']}: {alert['summary']}"


def _state(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['state']} ({value['opens_on']} to {value['closes_on']})"
    return "none" if value is None else str(value)
