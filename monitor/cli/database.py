"""`safety-monitor database`: the schema of the log's database, and the read models beside the log."""

import asyncio
from typing import Annotated

import typer

from monitor.audit.log import SqlAuditLog
from monitor.audit.read_models import ReadModels, folded, kept
from monitor.audit.read_models import rebuild as rebuild_all
from monitor.audit.schema import upgrade as upgrade_schema
from monitor.errors import UsageError, VersionConflict
from monitor.protocol.model import Protocol
from monitor.settings import Settings, load_settings

DIFFERENT = 1
SHOWN = 20  # rows: enough to see what they have in common


def upgrade() -> None:
    """Make the schema, or bring it to the newest revision; nothing happens if it is there already."""
    revision = asyncio.run(upgrade_schema(load_settings().log_url))
    typer.echo(f"the database is at schema {revision}")


def rebuild(
    check: Annotated[bool, typer.Option("--check", help="Compare alone; exit 1 if anything differs.")] = False,
) -> None:
    """Make the tables of patients and alerts anew from the log, and say what was not as the log gives it.

    Stop the workers first: nothing is replaced if the log goes on meanwhile.
    """
    before, made = asyncio.run(_rebuild(load_settings(), check=check))
    differing = made.differing(before)
    for name in differing[:SHOWN]:
        typer.echo(f"not as the log gives it: {name}")
    if len(differing) > SHOWN:
        typer.echo(f"... and {len(differing) - SHOWN} more")
    done = "compared with" if check else "made anew from"
    rows = f"{len(made.patients)} patients and {len(made.alerts)} alerts {done} {made.at} records"
    typer.echo(f"{rows}; {len(differing) or 'none'} differed")
    if check and differing:
        raise typer.Exit(DIFFERENT)


async def _rebuild(settings: Settings, *, check: bool) -> tuple[ReadModels, ReadModels]:
    log = await SqlAuditLog.open(settings.log_url, writing=not check)
    try:
        before = await kept(log)
        made = await (folded if check else rebuild_all)(log, Protocol.load(settings.protocol))
        if check and (await log.head()).sequence != before.at:
            raise UsageError("the log went on meanwhile: compare again while nobody writes")
    except VersionConflict as error:
        raise UsageError("the log went on meanwhile, and nothing was replaced: stop the workers first") from error
    else:
        return before, made
    finally:
        await log.close()
