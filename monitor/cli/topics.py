"""`safety-monitor topics apply`: make the topics that are missing on the broker."""

import asyncio
from typing import Annotated

import typer

from monitor.broker import ALL_TOPICS, PARTITIONS, apply_topics
from monitor.settings import load_settings


def apply(
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic that is made.")] = PARTITIONS,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition (production: 3).")] = 1,
) -> None:
    """Make what topics are missing; what exists is left as it is."""
    made = asyncio.run(apply_topics(load_settings(), partitions, replication))
    typer.echo(f"{len(made)} topics made, {len(ALL_TOPICS) - len(made)} there already")
