"""The demonstration itself: the stage is set, the trial is streamed, the log is questioned, everything is ended."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from monitor.audit.log import SqlAuditLog
from monitor.broker import PARTITIONS, apply_topics
from monitor.cli.demonstration.findings import read_findings
from monitor.cli.demonstration.notices import CaughtNotices
from monitor.cli.demonstration.process import run_command, running_worker
from monitor.cli.demonstration.result import Result, tell
from monitor.cli.demonstration.stage import CHANNEL, INVESTIGATOR, OFFICER, OPERATIONS, Stage
from monitor.cli.demonstration.streaming import Streamed, stream
from monitor.embedded import embedded_broker, free_port
from monitor.generate.trial import Trial, generate_trial
from monitor.notify.catcher import MailCatcher

MEMBERS: Final = (OFFICER, INVESTIGATOR, OPERATIONS)


async def play(folder: Path, patients: int, days: int, seed: int, console: Console) -> bool:
    """Play the whole demonstration into `folder`; True if all it promises holds.

    Raises MonitorError if it cannot be carried to its end. Whatever was started is stopped and reaped in any case.
    """
    trial = generate_trial(patients, seed, days)
    with embedded_broker(log=folder / "broker.log") as broker:
        stage = Stage(folder, broker.url, free_port())
        stage.trial.write_text(trial.text(), encoding="utf-8")
        await apply_topics(stage.settings(), PARTITIONS, replication=1)
        async with MailCatcher(stage.mails) as catcher:
            stage.write_routing({name: catcher.url(f"{name}@example.org") for name in MEMBERS})
            streamed, code = await _run(stage, trial, catcher, console)
    with console.status("verifying: every hash and every decision again ..."):
        verified, findings = await asyncio.gather(
            run_command(stage, "verify"), read_findings(stage.database_url, CHANNEL)
        )
    return tell(Result(trial, streamed, code, tuple(catcher.messages), findings, verified), stage, console)


async def _run(stage: Stage, trial: Trial, catcher: MailCatcher, console: Console) -> tuple[Streamed, int]:
    lines = [line.text.encode() for line in trial.lines]
    async with running_worker(stage) as worker:
        log = await SqlAuditLog.open(stage.database_url, writing=False)
        try:
            notices = CaughtNotices(log, catcher)
            streamed = await stream(worker, lines, _end(trial), notices, console)
        finally:
            await log.close()
        stage.metrics.write_text(streamed.metrics.text, encoding="utf-8")
        return streamed, await worker.stop()


def _end(trial: Trial) -> datetime:
    """The latest time in the file: there the events clock stands still."""
    return max(line.issued_at for line in trial.lines if line.broken is None)
