"""`safety-monitor topics apply` and `topics adopt`: make missing topics; take up one that was made anew."""

import asyncio
from functools import partial
from typing import Annotated

import typer

from monitor.agents.adopting import Adopted
from monitor.agents.adopting import adopt as adopt_positions
from monitor.agents.held import look
from monitor.audit.log import SqlAuditLog
from monitor.broker import ALL_TOPICS, PARTITIONS, apply_topics, check_topics, recognised
from monitor.clock import WallClock
from monitor.settings import BrokerKind, Settings, load_settings


def apply(
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic that is made.")] = PARTITIONS,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition (production: 3).")] = 1,
) -> None:
    """Make what topics are missing; what exists is left as it is."""
    made = asyncio.run(apply_topics(load_settings(), partitions, replication))
    typer.echo(f"{len(made)} topics made, {len(ALL_TOPICS) - len(made)} there already")


def adopt(
    approved_by: Annotated[str, typer.Option(help="Who approves it: an id in the trial, not a name.")],
    why: Annotated[str, typer.Option(help="Why the topic is another than the log knows.")],
) -> None:
    """Read topics that were made anew, truncated or rewritten from their beginnings. Stop the workers first.

    Only positions that the broker contradicts are moved, and the log records it. Facts that it has are not recorded
    again; what was lost on the broker before it was read must be sent again by its source.
    """
    moved = asyncio.run(_adopt(load_settings(), approved_by, why))
    for each in moved:
        typer.echo(f"{each.place[0]}/{each.place[1]}: from offset {each.before} to {each.after} ({each.mismatch})")
    if not moved:
        typer.echo("nothing to adopt: the broker holds what the log recorded")


async def _adopt(settings: Settings, approved_by: str, why: str) -> list[Adopted]:
    met = await recognised(settings)
    await check_topics(met)
    log = await SqlAuditLog.open(met.log_url, encrypt=met.encrypt_payloads)
    try:
        return await adopt_positions(
            log,
            partial(look, met),
            approved_by=approved_by,
            why=why,
            now=WallClock().now(),
            ends_are_told=met.broker_kind is BrokerKind.KAFKA,
        )
    finally:
        await log.close()
