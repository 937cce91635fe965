"""The one composition root: settings become a running worker. Nothing else builds adapters."""

import logging
import os
import typing
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib.metadata import version

from monitor.agents.leave import leave
from monitor.agents.publisher import AlertTopic, TopicPublisher
from monitor.agents.watchdog import Watchdog
from monitor.app import build_app
from monitor.audit.leading import Leases
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.keyfile import read_secret
from monitor.audit.proof.keys import signing_keys
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.publishing import newest_in
from monitor.audit.proof.service import Checkpoints, Pace
from monitor.audit.proof.store import ProofStore
from monitor.audit.schema import upgrade
from monitor.clock import WallClock
from monitor.events.catalogue import TOPICS, TYPES
from monitor.events.envelope import Reason
from monitor.ground import Ground
from monitor.health import Health
from monitor.http import HttpSite
from monitor.metrics import PRIORITIES, Metrics
from monitor.notify.announcing import Announcer
from monitor.notify.delivering import Deliverer
from monitor.notify.relay import Relay
from monitor.notify.routing import TOPIC_CHANNELS, Routing, load_routing
from monitor.notify.sender import AppriseSender
from monitor.operations.telling import telling_of
from monitor.protocol.model import Protocol
from monitor.recorder.activating import files_for
from monitor.recorder.recorder import Recorder
from monitor.rulebook import rule_ids
from monitor.services import Service, services_of
from monitor.settings import Settings

logger = logging.getLogger(__name__)


class StreamEngine(typing.Protocol):
    """Faust's app, as far as it is run here."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def wait_until_stopped(self) -> None: ...


@dataclass(frozen=True)
class Parts:
    """What a worker is made of; nothing of it runs yet. `services` run beside the stream engine.

    `make_app` builds the engine once the broker has been met: its kind decides some of the settings.
    """

    settings: Settings
    make_app: Callable[[Settings], StreamEngine]
    health: Health
    watchdog: Watchdog
    site: HttpSite
    services: Mapping[str, Service]


@asynccontextmanager
async def open_log(settings: Settings) -> AsyncIterator[SqlAuditLog]:
    """The log, for writing. On SQLite its schema is made here; elsewhere an operator makes it (SchemaMissing)."""
    url = settings.log_url
    if settings.is_sqlite:
        await upgrade(url)
    log = await SqlAuditLog.open(url, encrypt=settings.encrypt_payloads)
    try:
        yield log
    finally:
        await log.close()


@asynccontextmanager
async def build_worker(settings: Settings) -> AsyncIterator[Parts]:
    """Make a worker's parts; starting an instance ends an older start of the same name.

    Raises UsageError (ProtocolRefused for a file nobody approved), SchemaMissing, DatabaseUnavailable.
    """
    protocol = Protocol.load(settings.protocol)
    routing = load_routing(settings.routing, os.environ) if settings.routing else None
    watchdog = Watchdog(leave, settings.stuck_after)
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(open_log(settings))
        ground = Ground(
            settings=settings,
            protocol=protocol,
            routing=routing,
            clock=WallClock(),
            metrics=_metrics(protocol, routing),
            health=Health(within=settings.ready_within),
            log=log,
            leases=Leases(log, settings.instance, timedelta(seconds=settings.lease)),
            publisher=await stack.enter_async_context(aclosing(TopicPublisher(settings))),
        )
        sender = await stack.enter_async_context(AppriseSender(routing.recipients if routing else {}))
        checkpoints = _checkpoints(ground)
        if checkpoints is not None:
            stack.push_async_callback(checkpoints.close)  # after all services, so that it counts their last records
        announcer = Announcer(routing, protocol.tz, checkpoints.footer if checkpoints else lambda: None)
        relay = _relay(ground, sender, announcer)
        recorder = await _recorder(ground, announcer, relay)
        yield Parts(
            settings=settings,
            make_app=lambda met: build_app(met, recorder, leave, watchdog),
            health=ground.health,
            watchdog=watchdog,
            site=_site(ground),
            services=services_of(ground, relay, recorder, announcer, checkpoints),
        )


def _metrics(protocol: Protocol, routing: Routing | None) -> Metrics:
    metrics = Metrics(
        kinds=TYPES,
        topics=TOPICS,
        rules=rule_ids(),
        reasons=[str(reason) for reason in Reason],
        channels=(*(routing.channels if routing else ()), *TOPIC_CHANNELS),
    )
    metrics.build_is(version("safety-monitor"), protocol.id, protocol.hash)
    if routing is None:
        logger.error("no routing file is set: nobody is told of any alert")
    told = {name: len(routing.route(name).recipients) for name in PRIORITIES} if routing else {}
    metrics.recipients_are(told)
    return metrics


def _site(ground: Ground) -> HttpSite:
    token = ground.settings.http_token
    return HttpSite(
        metrics=ground.metrics,
        readiness=ground.health.report,
        host=ground.settings.http_host,
        port=ground.settings.http_port,
        token=token.get_secret_value() if token else None,
    )


def _relay(ground: Ground, sender: AppriseSender, announcer: Announcer) -> Relay:
    log, clock, metrics = ground.log, ground.clock, ground.metrics
    topic = AlertTopic(ground.publisher)
    deliverer = Deliverer(log, sender, topic, partial(telling_of, announcer), clock, metrics)
    channels = ground.routing.channels if ground.routing else ()
    return Relay(log, ground.leases, deliverer, clock, metrics, channels=channels)


async def _recorder(ground: Ground, announcer: Announcer, relay: Relay) -> Recorder:
    """The one way in. Its owner's epoch is drawn last: from then on an older start of this instance is fenced."""
    settings, log, now = ground.settings, ground.log, ground.clock.now()
    return Recorder(
        log=log,
        files=await files_for(log, ground.protocol, instance=settings.instance, now=now),
        clock=ground.clock,
        topics=TOPICS,
        events_clock=not ground.lives,
        owner=await log.start_instance(settings.instance),
        outbound=announcer,
        observer=ground.metrics,
        vitals=ground.health,
        wake=relay.wake,
        patience=settings.database_patience,
        max_message_bytes=settings.max_message_bytes,
        cached_patients=settings.cached_patients,
        cached_facts=settings.cached_facts,
    )


def _checkpoints(ground: Ground) -> Checkpoints | None:
    """The maker of checkpoints, if there is a key to sign them with."""
    settings = ground.settings
    if settings.checkpoint_key is None:
        return None
    store = ProofStore(ground.log)
    keys = signing_keys(read_secret(settings.checkpoint_key))
    return Checkpoints(
        ground.leases,
        store,
        CheckpointMaker(store, keys, partial(newest_in, settings.checkpoint_file)),
        ground.clock,
        ground.publisher,
        ground.metrics,
        pace=Pace(timedelta(seconds=settings.checkpoint_every), settings.checkpoint_every_records),
        file=settings.checkpoint_file,
    )
