"""The worker and the other commands as processes of their own: started, watched, stopped and reaped."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from monitor.cli.demonstration.stage import Stage
from monitor.errors import MonitorError

READY_LIMIT: Final = 40.0  # seconds; joining the group takes about one, loading the units half a second
STOP_LIMIT: Final = 30.0
POLL: Final = 0.25  # seconds between two looks
COMMAND: Final = (sys.executable, "-m", "monitor")


@dataclass(frozen=True, slots=True)
class Worker:
    """A running worker, seen through its process and its HTTP site."""

    stage: Stage
    process: Process
    session: aiohttp.ClientSession

    async def scrape(self) -> str:
        """The metrics. Raises MonitorError if the process has ended or does not answer."""
        self.raise_if_ended()
        try:
            async with self.session.get(f"http://127.0.0.1:{self.stage.http_port}/metrics") as answer:
                return await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.raise_if_ended()
            raise MonitorError(f"the worker does not answer: {type(error).__name__}") from error

    async def is_ready(self) -> bool:
        """True if /readyz is green."""
        self.raise_if_ended()
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.get(f"http://127.0.0.1:{self.stage.http_port}/readyz") as answer:
                return answer.status == 200
        return False

    def raise_if_ended(self) -> None:
        """Raise MonitorError with the worker's last words if it is gone."""
        if self.process.returncode is not None:
            log = self.stage.worker_log
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise MonitorError(f"the worker ended with code {self.process.returncode} ({log}): {' '.join(said)}")

    async def stop(self) -> int:
        """Ask it to stop as a service manager would, and wait; its exit code. It is killed if it does not."""
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), STOP_LIMIT)
            except TimeoutError:
                self.process.kill()
        return await self.process.wait()


@asynccontextmanager
async def running_worker(stage: Stage) -> AsyncIterator[Worker]:
    """A worker that is ready; it is gone when the block ends. Raises MonitorError if it does not become ready."""
    timeout = aiohttp.ClientTimeout(total=10)
    with stage.worker_log.open("wb") as log:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, "worker", stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=stage.environment()
            )
            worker = Worker(stage, process, session)
            try:
                await _until_ready(worker)
                yield worker
            finally:
                await worker.stop()


async def _until_ready(worker: Worker) -> None:
    try:
        async with asyncio.timeout(READY_LIMIT):
            while not await worker.is_ready():  # noqa: ASYNC110 - the other side is a process, it sets no Event
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise MonitorError(
            f"the worker was not ready within {READY_LIMIT:.0f} s; see {worker.stage.worker_log}"
        ) from None


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


async def run_command(stage: Stage, *words: str) -> Said:
    """Run one of our commands to its end in this stage's settings."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=stage.environment(),
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Said(process.returncode or 0, out.decode(), err.decode())
