"""A worker's life: start, work until told to stop, drain within a deadline."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from typing import Any, Final

from monitor.agents.leave import exit_code, leave, leave_after
from monitor.agents.ports import SOFTWARE, TEMPORARY
from monitor.broker import BrokerUnavailable, check_topics, recognised
from monitor.settings import Settings
from monitor.wiring import Parts, StreamEngine

logger = logging.getLogger(__name__)

BROKER_POLL: Final = 1.0  # seconds between two attempts to reach a broker that is not there yet


class Worker:
    """Runs the parts. A part that ends by itself ends the process: half a worker is worse than none."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._app: StreamEngine | None = None  # once it has started

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT. Raises UsageError if topics are missing, OSError if the HTTP port is taken."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        await self._parts.site.start()
        try:
            self._start_services()
            settings = await self._until_broker_answers()
            if settings is not None and not self._stopping.is_set():
                await self._start_app(self._parts.make_app(settings))
            await self._stopping.wait()
        finally:
            await self._drain()

    def _start_services(self) -> None:
        """The clock and the relay run while the broker is down: they live by the database."""
        self._keep("watchdog", self._parts.watchdog.run())
        for name, service in self._parts.services.items():
            self._keep(name, service.run())

    def _keep(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._stopping.is_set() or task.cancelled():
            return
        if error := task.exception():
            logger.error("a part of the worker failed", exc_info=error)
        leave(SOFTWARE, f"the {task.get_name()} ended by itself")

    async def _until_broker_answers(self) -> Settings | None:
        """The settings with what the broker turned out to be; None if told to stop before it answered."""
        waiting = False
        while not self._stopping.is_set():
            try:
                return await self._met()
            except BrokerUnavailable as error:
                if not waiting:
                    logger.warning("waiting for the broker: %s", error)
                waiting = True
                await self._pause(BROKER_POLL)
        return None

    async def _met(self) -> Settings | None:
        """What the broker says of itself; None if told to stop meanwhile: one that is silent takes minutes."""

        async def meet() -> Settings:
            await check_topics(self._parts.settings)
            return await recognised(self._parts.settings)

        meeting = asyncio.create_task(meet())
        if await self._done_before_told(meeting):
            return meeting.result()
        meeting.cancel()
        await asyncio.wait({meeting})
        return None

    async def _done_before_told(self, task: "asyncio.Task[Any]") -> bool:
        """Wait for a task, or until told to stop; whether it is done."""
        told = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        return task.done()

    async def _start_app(self, app: StreamEngine) -> None:
        """Start faust; a stop that comes meanwhile still has its deadline."""
        start = asyncio.create_task(app.start())
        if not await self._done_before_told(start):
            leave(TEMPORARY, "told to stop while joining the group; nothing was in hand")
        if error := start.exception():  # half started it can neither go on nor be stopped
            logger.error("the stream engine did not start", exc_info=error)
            leave(exit_code(error), f"the stream engine did not start: {type(error).__name__}")
        self._app = app
        self._parts.health.started()
        self._keep("stream engine", app.wait_until_stopped())
        logger.info("worker ready")

    async def _drain(self) -> None:
        """End in good order: first what comes in, then what goes out."""
        self._stopping.set()
        self._parts.health.stopping()
        logger.info("worker draining")
        timer = leave_after(self._parts.settings.shutdown_grace, "the worker did not drain in time")
        if self._app is not None:
            await self._app.stop()
        for service in self._parts.services.values():
            service.stop()
        for task in self._tasks:
            if task.get_name() == "watchdog":
                task.cancel()
        for task, end in zip(self._tasks, await asyncio.gather(*self._tasks, return_exceptions=True), strict=True):
            if isinstance(end, Exception):
                logger.error("the %s failed as it ended", task.get_name(), exc_info=end)
        await self._parts.site.stop()
        timer.cancel()
        logger.info("worker stopped")

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
