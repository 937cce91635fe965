"""`safety-monitor worker`: the daemon."""

import asyncio
import logging

import typer

from monitor.agents.ports import TEMPORARY
from monitor.errors import DatabaseUnavailable
from monitor.logs import configure_logging
from monitor.running import Worker
from monitor.settings import Settings, load_settings
from monitor.wiring import build_worker

logger = logging.getLogger(__name__)


def worker() -> None:
    """Read events from the broker, assess patients, raise alerts, record everything; SIGTERM drains and ends it."""
    settings = load_settings()
    configure_logging(settings.log_level)
    try:
        asyncio.run(_run(settings))
    except DatabaseUnavailable as error:  # as it starts; at work it waits, and then ends with this code too
        logger.critical("worker ends: %s", error)
        raise typer.Exit(TEMPORARY) from None


async def _run(settings: Settings) -> None:
    async with build_worker(settings) as parts:
        await Worker(parts).run()
