"""The faust app, built by a factory: nothing is registered by an import, and nothing is decided here but settings.

Every value that differs from faust's own has been measured to matter; the reasons stand beside them.
"""

from functools import partial
from typing import Any, Final, cast

import faust
from mode import CrashingSupervisor

from monitor.agents import chimerism, clinical, commands, gvhd, lab, mrd, patient, treatment
from monitor.agents.consumer import consumer_class
from monitor.agents.held import look
from monitor.agents.intake import Intake
from monitor.agents.ports import Keeper, Leave
from monitor.agents.unpacking import unpack_carefully
from monitor.agents.watchdog import Watchdog
from monitor.broker import TokenFile, tls_context
from monitor.settings import BrokerKind, Settings

AGENTS: Final = (patient, lab, mrd, chimerism, gvhd, clinical, treatment, commands)

# Seconds: (until others have the partitions of a silent member, between heartbeats). Tansu's group join takes half the
# first; Kafka hangs below 6. A member learns by a heartbeat that partitions are dealt anew, and all wait for the last.
MEMBERSHIP: Final = {BrokerKind.KAFKA: (10.0, 1.0), BrokerKind.TANSU: (2.0, 0.5)}
COMMIT_EVERY: Final = 1.0  # seconds


class Engine(faust.App):
    async def on_first_start(self) -> None:
        """Make no directories: faust's tables are not used, and a container's disk cannot be written to."""


def build_app(settings: Settings, keeper: Keeper, leave: Leave, watchdog: Watchdog) -> faust.App:
    """Make the app with its eight agents over one intake; start it with `await app.start()`.

    keeper: the recorder. leave: ends the process when going on would lose something.
    """
    unpack_carefully(settings.max_expanded_bytes)
    session, heartbeat = MEMBERSHIP[settings.broker_kind]
    app = Engine(
        settings.group,
        broker=[f"kafka://{server}" for server in settings.bootstrap_servers],
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_allow_declare=False,  # `topics apply` makes topics, with the partitions that were asked for
        topic_disable_leader=True,
        stream_wait_empty=True,  # a stop or a rebalance in mid-batch loses events without it
        agent_supervisor=CrashingSupervisor,  # the others restart an agent behind the event it failed on
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=COMMIT_EVERY,
        broker_max_poll_records=settings.batch_events,
        stream_buffer_maxsize=settings.buffered_messages,  # a full one holds back the fetching
        consumer_max_fetch_size=settings.partition_fetch_bytes,
        broker_session_timeout=settings.session_timeout or session,
        broker_heartbeat_interval=heartbeat,
        **_membership(settings),
        **_credentials(settings),
    )
    cast(Any, app.transport).Consumer = consumer_class(
        keeper,
        leave,
        partial(look, settings),
        ends_are_told=settings.broker_kind is BrokerKind.KAFKA,
        fetch_bytes=settings.fetch_bytes,
    )
    intake = Intake(
        keeper,
        leave,
        watchdog,
        batch_events=settings.batch_events,
        batch_bytes=settings.batch_bytes,
        batch_wait=settings.batch_wait,
    )
    for agent in AGENTS:
        agent.add(app, intake)
    return app


def _membership(settings: Settings) -> dict[str, Any]:
    """A stable member has its partitions back a second after a kill, and not when its session has timed out."""
    return {"consumer_group_instance_id": settings.instance} if settings.static_member else {}


def _credentials(settings: Settings) -> dict[str, Any]:
    context = tls_context(settings)
    if settings.broker_token_file is not None:
        tokens = TokenFile(settings.broker_token_file)
        return {"broker_credentials": faust.OAuthCredentials(oauth_cb=tokens, ssl_context=context)}
    if settings.broker_username is not None and settings.broker_password is not None:
        credentials: Any = faust.SASLCredentials(
            username=settings.broker_username,
            password=settings.broker_password.get_secret_value(),
            mechanism=settings.broker_mechanism.value,
            ssl_context=context,
        )
        return {"broker_credentials": credentials}
    return {"broker_credentials": context} if context is not None else {}
