"""The broker: reached, who we are to it, and the topics."""

from collections.abc import Iterator

from monitor.broker import ALL_TOPICS, BrokerUnavailable, check_topics, find_topics, recognised
from monitor.cli.doctoring.symptom import Symptom, doubt, well, wrong
from monitor.errors import UsageError
from monitor.settings import BrokerKind, Settings, is_loopback

PART = "broker"


async def look(settings: Settings) -> list[Symptom]:
    """Never raises for what the broker does."""
    try:
        met = await recognised(settings)
        found = await find_topics(met)
        partitions = await check_topics(met)
    except BrokerUnavailable as error:
        return [wrong(PART, str(error), "start it; or look at broker_url, broker_tls*, broker_mechanism and the login")]
    except UsageError as error:
        return [wrong(PART, str(error), "`safety-monitor topics apply` makes what is missing")]
    missing = [topic for topic in ALL_TOPICS if topic not in found]
    if missing:
        return [wrong(PART, f"topics are missing: {', '.join(missing)}", "safety-monitor topics apply")]
    count = next(iter(partitions.values()))
    told = f"{met.broker_kind} at {met.broker_url}, {len(found)} topics, {count} partitions each"
    return [well(PART, told), *_doubts(met)]


def _doubts(settings: Settings) -> Iterator[Symptom]:
    if settings.broker_kind is BrokerKind.TANSU:
        yield doubt(PART, "the embedded broker keeps nothing on a disk", "Apache Kafka, for anything but a trial run")
    away = not all(is_loopback(server.rpartition(":")[0]) for server in settings.bootstrap_servers)
    if away and not settings.broker_tls:
        yield doubt(PART, "patients' results cross the network in clear", "set broker_tls")
    login = (settings.broker_username, settings.broker_token_file, settings.broker_tls_certificate)
    if away and not any(login):
        yield doubt(PART, "the broker does not know us from others", "set broker_username, a token or a certificate")
