"""`safety-monitor protocol activate` and `protocol show`: the protocol file in force, by whose approval, and why."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from monitor.audit.log import SqlAuditLog
from monitor.audit.protocols import Activation, activations
from monitor.clock import WallClock
from monitor.events.canonical import utc
from monitor.protocol.model import Protocol
from monitor.recorder.activating import activate as activate_file
from monitor.settings import ClockKind, Settings, load_settings


def activate(
    file: Annotated[Path, typer.Argument(help="The protocol file that is to come into force.")],
    approved_by: Annotated[str, typer.Option(help="Who approves it: an id in the trial, not a name.")],
    why: Annotated[str, typer.Option(help="Why the file changes.")],
) -> None:
    """Record that a protocol file comes into force. Stop the workers first, and start them with it afterwards.

    What stopped a patient under the file before stays; the rest is assessed anew. `replay --protocol FILE` shows first
    what it would change.
    """
    done = asyncio.run(_activate(load_settings(), Protocol.load(file), approved_by, why))
    typer.echo(f"record {done.sequence}: {_named(done)} is in force from {utc(done.since)}, approved by {approved_by}")


def show(
    output: Annotated[Literal["text", "json"], typer.Option("--format", help="What to print.")] = "text",
) -> None:
    """List the protocol files of the log, the one in force last: since when, approved by whom, and why."""
    found = asyncio.run(_activations(load_settings()))
    if output == "json":
        typer.echo(json.dumps([_to_json(each) for each in found], indent=1, ensure_ascii=False))
        return
    if not found:
        typer.echo("The log holds no protocol file yet: a worker records the first at its first start.")
    for number, each in enumerate(found):
        since = utc(each.since) if number else "the beginning"
        typer.echo(f"{_named(each)} from {since}: {each.why} ({each.approved_by}, record {each.sequence})")


async def _activate(settings: Settings, protocol: Protocol, approved_by: str, why: str) -> Activation:
    log = await SqlAuditLog.open(settings.log_url, encrypt=settings.encrypt_payloads)
    try:
        return await activate_file(
            log,
            protocol,
            approved_by=approved_by,
            why=why,
            now=WallClock().now(),
            events_clock=settings.clock is ClockKind.EVENTS,
        )
    finally:
        await log.close()


async def _activations(settings: Settings) -> list[Activation]:
    log = await SqlAuditLog.open(settings.log_url, writing=False)
    try:
        return await activations(log)
    finally:
        await log.close()


def _named(each: Activation) -> str:
    return f"{each.protocol.id} {each.protocol.version} ({each.hash.removeprefix('sha256:')[:12]})"


def _to_json(each: Activation) -> dict[str, object]:
    return {
        "id": each.protocol.id,
        "version": each.protocol.version,
        "hash": each.hash,
        "since": utc(each.since),
        "approved_by": each.approved_by,
        "why": each.why,
        "sequence": each.sequence,
    }
