"""`safety-monitor worker`: the daemon."""

import asyncio

from monitor.logs import configure_logging
from monitor.running import Worker
from monitor.settings import Settings, load_settings
from monitor.wiring import build_worker


def worker() -> None:
    """Read events from the broker, assess patients, raise alerts, record everything; SIGTERM drains and ends it."""
    settings = load_settings()
    configure_logging(settings.log_level)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    async with build_worker(settings) as parts:
        await Worker(parts).run()
