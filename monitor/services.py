"""What runs beside the stream engine: each service with what it needs, by the name that logs give it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from monitor.agents.clock import Ticker
from monitor.agents.counting import OpenAlerts
from monitor.agents.leave import leave
from monitor.agents.quarantine import QuarantineCopies
from monitor.agents.retries import RetryTaker
from monitor.audit.acts import ActsTaker, take_over, take_over_left
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.anchors import Anchors, anchor_of
from monitor.audit.proof.keyfile import read_secret
from monitor.audit.proof.keys import signing_keys
from monitor.audit.proof.publishing import newest_in
from monitor.audit.proof.service import Checkpoints
from monitor.audit.proof.store import ProofStore
from monitor.audit.spool import Spool
from monitor.events.catalogue import TOPICS
from monitor.ground import Ground
from monitor.notify.announcing import Announcer
from monitor.notify.relay import Relay
from monitor.operations.freed_memory import FreedMemory
from monitor.operations.heartbeat import Heartbeat, Overdue
from monitor.operations.history_size import HistorySize
from monitor.operations.log_broken import LogBroken
from monitor.operations.log_verifier import LogVerifier, Schedule
from monitor.operations.newer_rules import NewerRules
from monitor.operations.overdue import Readiness, checkpoints_made, notices_waiting, patients_due
from monitor.operations.quarantine_share import QuarantineShare
from monitor.operations.source_silent import SourceSilent
from monitor.operations.stop_in_doubt import StopInDoubt
from monitor.operations.trouble import Check
from monitor.operations.watch import OperationsWatch
from monitor.recorder.recorder import Recorder
from monitor.settings import Settings


class Service(Protocol):
    """Runs until it is told to stop."""

    async def run(self) -> None: ...

    def stop(self) -> None: ...


def services_of(
    ground: Ground, relay: Relay, recorder: Recorder, announcer: Announcer, checkpoints: Checkpoints | None
) -> dict[str, Service]:
    """What runs beside the stream engine, by the name that logs give it."""
    settings, log, leases, clock, metrics = ground.settings, ground.log, ground.leases, ground.clock, ground.metrics
    services: dict[str, Service] = {
        "relay": relay,
        "copier of the quarantine": QuarantineCopies(log, ground.publisher, clock),
        "taker of retries": RetryTaker(recorder, log, leases, clock, leave, topics=TOPICS),
        "taker of records that wait": ActsTaker(_taking(log), clock),
        "counter of open alerts": OpenAlerts(log, metrics, clock),
        "watch over the system": OperationsWatch(
            log, leases, _checks(ground), announcer, clock, metrics, wake=relay.wake
        ),
        "verifier of the log": _verifier(ground),
        "giver of freed memory": FreedMemory(),
    }
    if checkpoints is not None:
        services["maker of checkpoints"] = checkpoints
    if settings.heartbeat_url is not None:
        url, overdue = settings.heartbeat_url.get_secret_value(), _overdue(ground, checkpoints)
        services["heartbeat"] = Heartbeat(url, overdue, clock, metrics, every=settings.heartbeat_every)
    if ground.lives:
        services["assessor by newer rules"] = NewerRules(recorder, log, leases, clock)
        services["clock"] = Ticker(recorder, leases, clock, leave, every=settings.tick_every)
    return services


def _taking(log: SqlAuditLog) -> Callable[[datetime], Awaitable[int]]:
    """How records that could not be appended by those who made them come onto the log."""
    file = log.database.file
    return partial(take_over_left, log) if file is None else partial(take_over, log, Spool(file))


def _verifier(ground: Ground) -> LogVerifier:
    settings = ground.settings
    schedule = Schedule(timedelta(seconds=settings.verify_every), timedelta(seconds=settings.verify_new_every))
    anchors = partial(_anchors, settings, ground.log)
    return LogVerifier(
        ground.log, ground.leases, ground.protocol, anchors, ground.clock, ground.metrics, schedule=schedule
    )


def _checks(ground: Ground) -> list[Check]:
    """What the watch over the system looks for. A back-fill is no feed: nobody is missed while it runs."""
    settings, log = ground.settings, ground.log
    checks: list[Check] = [
        QuarantineShare(log, share=settings.quarantine_share, minimum=settings.quarantine_minimum),
        HistorySize(log, records=settings.history_records),
        LogBroken(log),
        StopInDoubt(log),
    ]
    if ground.lives:
        checks.append(SourceSilent(log, after=settings.silent_after, since=ground.clock.now()))
    return checks


async def _anchors(settings: Settings, log: SqlAuditLog) -> Anchors:
    """The checkpoints that the worker holds its log against: all of the table, and the newest that left the house."""
    signing = signing_keys(read_secret(settings.checkpoint_key)) if settings.checkpoint_key else ()
    keys = [key.verifier for key in signing]
    newest = await asyncio.to_thread(newest_in, settings.checkpoint_file)
    outside = [anchor_of(newest, str(settings.checkpoint_file), keys)] if newest else []
    return Anchors(outside, ProofStore(log), keys)


def _overdue(ground: Ground, checkpoints: Checkpoints | None) -> dict[str, Overdue]:
    """What must not be overdue while the worker says that it lives."""
    after = timedelta(seconds=ground.settings.heartbeat_overdue)
    overdue = {
        "worker": Readiness(ground.health.report, after).overdue,
        "notices": notices_waiting(ground.log, after),
    }
    if ground.lives:
        overdue["clock"] = patients_due(ground.log, after)
    if checkpoints is not None:
        overdue["checkpoints"] = checkpoints_made(checkpoints, after)
    return overdue
