"""What the reading commands begin with: the log, and the protocol files in it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.audit.log import SqlAuditLog
from monitor.audit.protocols import files_in
from monitor.protocol.model import Protocol
from monitor.protocol.timeline import Timeline
from monitor.settings import load_settings

T = TypeVar("T")


class Format(StrEnum):
    """How it is printed."""

    TEXT = "text"
    JSON = "json"


def asked(question: Callable[[SqlAuditLog, Timeline], Awaitable[T]]) -> T:
    """Open the log of the settings for reading, ask, close. Raises DatabaseUnavailable, SchemaMissing, UsageError."""

    async def ask() -> T:
        settings = load_settings()
        log = await SqlAuditLog.open(settings.log_url, writing=False)
        try:
            return await question(log, await files_in(log, Protocol.load(settings.protocol)))
        finally:
            await log.close()

    return asyncio.run(ask())


def local(moment: datetime | date, tz: ZoneInfo) -> str:
    """`2025-06-12 11:20` at the site; the date alone where only the day is known."""
    return f"{moment.astimezone(tz):%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else moment.isoformat()


def print_rows(headings: Sequence[str], rows: Sequence[Sequence[str]], *, under: bool = False) -> None:
    """A table where a person looks; one line a row, its cells parted by tabs, where a program reads.

    `under`: in the table the last cell stands on a line of its own below the one before it, so that both have room.
    """
    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(box=box.SIMPLE_HEAD)
    if under:
        headings = [*headings[:-2], f"{headings[-2]}, {headings[-1]}"]
        rows = [[*row[:-2], "\n".join(filter(None, row[-2:]))] for row in rows]
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))  # as it is: what a fact says is no markup
    console.print(table)
