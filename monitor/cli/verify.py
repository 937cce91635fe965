"""`safety-monitor verify`: is the log whole, and are its decisions those its facts lead to?"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from monitor.audit.log import SqlAuditLog
from monitor.audit.verify import Verdict
from monitor.audit.verify import verify as verify_log
from monitor.protocol.model import Protocol
from monitor.settings import Settings, load_settings

BROKEN = 1
SHOWN = 20  # differences: enough to see what they have in common


def verify(
    protocol: Annotated[Path | None, typer.Option(help="The protocol file that was in force.")] = None,
) -> None:
    """Re-derive every hash and every decision; exit 1 and name the first broken record."""
    settings = load_settings()
    verdict = asyncio.run(_verify(settings, Protocol.load(protocol or settings.protocol)))
    for line in told(verdict):
        typer.echo(line, err=verdict.tampered)
    if verdict.tampered:
        raise typer.Exit(BROKEN)


def told(verdict: Verdict) -> list[str]:
    """The verdict in plain words."""
    if verdict.broken is not None:
        return [f"BROKEN: {verdict.broken}"]
    lines = [f"{'DIFFERS under newer rules' if each.newer else 'DIFFERS'}: {each}" for each in verdict.differs[:SHOWN]]
    if len(verdict.differs) > SHOWN:
        lines.append(f"... and {len(verdict.differs) - SHOWN} more")
    if verdict.undecided:
        lines.append(f"not re-derivable: {verdict.undecided} patients (another protocol file, or a failing assessment)")
    whole = f"{verdict.records} records whole; {verdict.decisions} decisions of {verdict.patients} patients"
    return [*lines, f"{whole} {'differ in places' if verdict.differs else 'as their facts lead to'}"]


async def _verify(settings: Settings, protocol: Protocol) -> Verdict:
    log = await SqlAuditLog.open(settings.database_url.get_secret_value(), writing=False)
    try:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("records", total=(await log.head()).sequence)
            return await verify_log(log, protocol, lambda done: bar.update(task, completed=done))
    finally:
        await log.close()
