"""`safety-monitor publish`: send the events of files to the broker."""

import asyncio
import sys
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from monitor.broker import check_topics, producer
from monitor.errors import UsageError
from monitor.protocol.model import Protocol
from monitor.publishing import messages
from monitor.settings import Settings, load_settings

STANDARD_INPUT: Final = "-"
IN_FLIGHT: Final = 2_000  # messages that wait for the broker's word at a time


def publish(
    files: Annotated[list[str], typer.Argument(help="JSON Lines, one CloudEvent a line; - for standard input.")],
) -> None:
    """Send events to the broker as they are, keyed by patient, with the clock that `CLOCK=events` needs."""
    settings = load_settings()
    lines = read_lines(files)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("publishing", total=len(lines))
        sent = asyncio.run(send(settings, progress.track(lines, task_id=task)))
    typer.echo(f"{len(lines)} events and {sent - len(lines)} steps of the clock sent")


def read_lines(files: Sequence[str]) -> list[bytes]:
    """The lines of files, in order, without empty ones. Raises UsageError for a file that cannot be read."""
    return [line for name in files for line in _lines(name)]


def _lines(name: str) -> Iterator[bytes]:
    try:
        content = sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None
    return (stripped for line in content.split(b"\n") if (stripped := line.strip()))


async def send(settings: Settings, lines: Iterable[bytes]) -> int:
    """Send lines and the clock's steps, and wait until the broker has them all; how many messages.

    Raises UsageError if topics are missing, BrokerUnavailable.
    """
    partitions = await check_topics(settings)
    tz = Protocol.load(settings.protocol).tz
    waiting: list[asyncio.Future[object]] = []
    sent = 0
    async with producer(settings) as client:
        for message in messages(lines, partitions, tz, uuid.uuid4().hex):
            waiting.append(await client.send(message.topic, message.value, message.key, message.partition))
            sent += 1
            if len(waiting) >= IN_FLIGHT:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    return sent
