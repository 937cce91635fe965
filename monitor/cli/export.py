"""`safety-monitor export`: a copy of the log for an inspector, which proves itself."""

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from monitor.audit.acts import record_act
from monitor.audit.export.making import Made, Request, make
from monitor.audit.export.selection import Filters
from monitor.audit.export.writing import hand_over, workplace
from monitor.audit.log import SqlAuditLog
from monitor.cli.actor import actor
from monitor.cli.audit import verifier_keys
from monitor.cli.instants import instant
from monitor.clock import WallClock
from monitor.errors import UsageError
from monitor.settings import Settings, load_settings


def export(
    out: Annotated[Path, typer.Option(help="The folder to make, or the file if it ends in .zip.")],
    format: Annotated[  # noqa: A002 - the option's name
        Literal["jsonl", "csv"], typer.Option(help="csv: with tables for reading beside the records.")
    ] = "csv",
    patient: Annotated[str | None, typer.Option(help="This patient's records alone.")] = None,
    since: Annotated[str | None, typer.Option(help="Recorded then or later (RFC 3339).")] = None,
    until: Annotated[str | None, typer.Option(help="Recorded before then (RFC 3339).")] = None,
    keys: Annotated[Path | None, typer.Option(help="Keyring file: verifier keys that go with it.")] = None,
) -> None:
    """Copy the log with all its proofs, to be verified by `python3 verify.py` in it, or `verify --export`."""
    settings = load_settings()
    filters = Filters(
        patient,
        instant("--since", since),
        instant("--until", until),
    )
    request = Request(
        filters=filters,
        actor=actor(),
        made_at=WallClock().now(),
        csv=format == "csv",
        keys=verifier_keys(settings, keys),
    )
    made, sequence = asyncio.run(_export(settings, request, out))
    typer.echo(f"{made.records} of {made.head.sequence} records in {out}")
    recorded = "recorded by the worker in a moment" if sequence is None else f"recorded as record {sequence}"
    typer.echo(f"manifest SHA-256 {made.manifest_sha256}, {recorded}")


async def _export(settings: Settings, request: Request, out: Path) -> tuple[Made, int | None]:
    with workplace(out) as folder:
        url = settings.log_url
        log = await SqlAuditLog.open(url, writing=False)
        try:
            if request.filters.patient is not None:
                await _know(log, request.filters.patient)
            made = await make(log, folder, request)
        finally:
            await log.close()
        # An export that is not recorded is not handed over.
        record = await record_act(url, made.record, request.made_at, encrypt=settings.encrypt_payloads)
        hand_over(folder, out)
    return made, None if record is None else record.sequence


async def _know(log: SqlAuditLog, patient: str) -> None:
    async for _ in log.read(limit=1, stream=f"patient/{patient}"):
        return
    raise UsageError(f"the log knows no patient {patient}")
