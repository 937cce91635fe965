"""The broker as plain clients see it: how to reach it, which topics it must hold, and how to make those."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    AuthenticationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_fixed

from monitor.errors import MonitorError, UsageError
from monitor.events.catalogue import ALERT_TOPIC, CHECKPOINT_TOPIC, QUARANTINE_TOPIC, TOPICS
from monitor.settings import BrokerKind, Settings

PARTITIONS: Final = 3  # enough for three workers; more can be asked for
REQUEST_LIMIT_MS: Final = 30_000
ASKED: Final = 10  # times that a question is put while brokers come and go
ASK_AGAIN_AFTER: Final = 0.3  # seconds
ALL_TOPICS: Final = (*TOPICS, ALERT_TOPIC, QUARANTINE_TOPIC, CHECKPOINT_TOPIC)
COMPACTED: Final = (CHECKPOINT_TOPIC,)  # the newest of each key stays for ever
TANSU_CLUSTER: Final = "tansu"  # how the id of a Tansu cluster begins, unless somebody named it otherwise

T = TypeVar("T")


class BrokerUnavailable(MonitorError):  # noqa: N818 - as the other words of monitor.errors
    """The broker did not answer, or refused us."""


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What the broker's certificate is checked against, and ours; None where the connection is not encrypted.

    Raises UsageError for a file that cannot be read.
    """
    if not settings.broker_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.broker_tls_ca)
        if settings.broker_tls_certificate is not None:
            context.load_cert_chain(settings.broker_tls_certificate, settings.broker_tls_key)
    except OSError as error:  # also what ssl raises
        raise UsageError(f"the certificates of broker_tls_* cannot be used: {error.strerror or error}") from None
    return context


def client_options(settings: Settings) -> dict[str, Any]:
    """What every aiokafka client needs to reach the broker. Raises UsageError for a file that cannot be read."""
    context = tls_context(settings)
    options: dict[str, Any] = {"bootstrap_servers": settings.bootstrap_servers, "ssl_context": context}
    login: dict[str, Any] = {}
    if settings.broker_token_file is not None:
        read_token(settings.broker_token_file)  # what is not there at the start is a mistake, later a rotation
        login["sasl_oauth_token_provider"] = TokenFile(settings.broker_token_file)
    if settings.broker_username is not None and settings.broker_password is not None:
        login["sasl_plain_username"] = settings.broker_username
        login["sasl_plain_password"] = settings.broker_password.get_secret_value()
    if login:
        login["sasl_mechanism"] = settings.broker_mechanism.value
    options["security_protocol"] = ("SASL_" if login else "") + ("SSL" if context else "PLAINTEXT")
    return {key: value for key, value in {**options, **login}.items() if value is not None}


class TokenFile(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka ships no types
    """An OAuth token in a file that somebody else renews (an agent, a sidecar): read for each connection."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def token(self) -> str:
        """The token as it is now. Raises AuthenticationFailedError, after which aiokafka tries again."""
        try:
            return read_token(self._file)
        except UsageError as error:
            raise AuthenticationFailedError(str(error)) from None


def read_token(file: Path) -> str:
    """The token in a file. Raises UsageError if there is none."""
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the token in {file} (broker_token_file) cannot be read: {type(error).__name__}") from None
    if not token:
        raise UsageError(f"there is no token in {file} (broker_token_file)")
    return token


async def recognised(settings: Settings) -> Settings:
    """The settings with the broker's kind filled in: what was set, or what the cluster's id says.

    Raises BrokerUnavailable.
    """
    if settings.broker_kind is not BrokerKind.AUTO:
        return settings
    async with _admin(settings) as admin:
        cluster = await answer(admin.describe_cluster)
    embedded = str(cluster.get("cluster_id") or "").startswith(TANSU_CLUSTER)
    return settings.model_copy(update={"broker_kind": BrokerKind.TANSU if embedded else BrokerKind.KAFKA})


@asynccontextmanager
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """A producer with faust's partitioner (murmur2 of the key, aiokafka's own). Raises BrokerUnavailable.

    Idempotent where the broker can be (Tansu cannot); never transactional: markers would look like lost messages.
    """
    idempotent = (await recognised(settings)).broker_kind is BrokerKind.KAFKA
    client = AIOKafkaProducer(
        **client_options(settings), acks="all", enable_idempotence=idempotent, linger_ms=5,
        request_timeout_ms=REQUEST_LIMIT_MS,
    )  # fmt: skip
    async with _translated(settings):
        await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def apply_topics(settings: Settings, partitions: int, replication: int) -> list[str]:
    """Make the topics that are missing; their names. What exists is left as it is.

    Raises UsageError where inbound topics differ in partitions (a patient's events must meet on one worker), and
    BrokerUnavailable.
    """
    async with _admin(settings) as admin:
        missing = [topic for topic in ALL_TOPICS if topic not in await _partitions(admin, ALL_TOPICS)]
        if missing:
            answer = await admin.create_topics([_new(topic, partitions, replication) for topic in missing])
            for topic, code, *_ in answer.topic_errors:
                error = for_code(code)
                if code and error is not TopicAlreadyExistsError:
                    raise MonitorError(f"the broker refused to make topic {topic}: {error.__name__}")
        _check_equal(await _partitions(admin, TOPICS))
    return missing


def _new(topic: str, partitions: int, replication: int) -> NewTopic:
    configs = {"cleanup.policy": "compact"} if topic in COMPACTED else None
    return NewTopic(topic, partitions, replication, topic_configs=configs)


async def check_topics(settings: Settings) -> Mapping[str, int]:
    """The partitions of the inbound topics. Raises UsageError if one is missing or they differ, BrokerUnavailable."""
    async with _admin(settings) as admin:
        found = await _partitions(admin, TOPICS)
    if missing := [topic for topic in TOPICS if topic not in found]:
        names = ", ".join(missing)
        raise UsageError(
            f"topics are missing on the broker ({names}): run `safety-monitor topics apply`, or let this login see them"
        )
    _check_equal(found)
    return found


async def find_topics(settings: Settings) -> Mapping[str, int]:
    """Those of all our topics that the broker has, with their partitions. Raises BrokerUnavailable."""
    async with _admin(settings) as admin:
        return await _partitions(admin, ALL_TOPICS)


def _check_equal(partitions: Mapping[str, int]) -> None:
    if len(set(partitions.values())) > 1:
        counts = ", ".join(f"{topic}: {number}" for topic, number in sorted(partitions.items()))
        raise UsageError(f"the inbound topics differ in partitions ({counts}); make them equal, or patients are torn")


async def _partitions(admin: AIOKafkaAdminClient, topics: Collection[str]) -> dict[str, int]:
    """How many partitions each topic has; those that do not exist are left out.

    All topics are listed, not these alone: a question for one that is missing may make it.
    """
    described = await answer(admin.describe_topics)
    return {
        topic["topic"]: len(topic["partitions"])
        for topic in described
        if topic["topic"] in topics and not topic["error_code"]
    }


async def answer(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of any broker: the client asks one at random, which may just have gone. Raises KafkaError."""
    asking = AsyncRetrying(
        retry=retry_if_exception(lambda error: isinstance(error, KafkaError) and error.retriable),
        wait=wait_fixed(ASK_AGAIN_AFTER),
        stop=stop_after_attempt(ASKED),
        reraise=True,
    )

    async def once() -> T:  # a function of its own, since tenacity awaits what is declared so
        return await ask()

    return await asking(once)


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=REQUEST_LIMIT_MS)
    try:
        async with _translated(settings):
            await admin.start()
            yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def _translated(settings: Settings) -> AsyncIterator[None]:
    try:
        yield
    except KafkaConnectionError:
        raise BrokerUnavailable(f"no broker answers at {settings.broker_url}") from None
    except KafkaError as error:
        raise BrokerUnavailable(f"the broker at {settings.broker_url} refused: {type(error).__name__}") from error
