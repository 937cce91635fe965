"""After a storm: what was sent against what is on the log, and both against the simulation and the receiver."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from monitor.audit.kinds import INPUT_REFUSED
from monitor.audit.records import Record
from monitor.events.catalogue import TOPICS
from monitor.events.codec import decode, restore
from monitor.events.envelope import Received, Refused
from monitor.notify.ports import SendOutcome
from monitor.notify.receipts import attempts_in
from monitor.notify.routing import TOPIC_CHANNELS
from monitor.notify.sender import MESSAGE_ID_HEADER
from monitor.protocol.model import Protocol
from monitor.settings import Settings
from tests.engine.histories import essence, latest, simulated
from tests.support.kafka import Reached
from tests.support.postbox import Postbox
from tests.support.reading import looked_at, records, replayed, verdict


@dataclass(frozen=True)
class Judgement:
    """What a storm left. `wrong` says in words what must not be; it is empty after a good one."""

    events: int
    on_log: int
    quarantined: int
    lost: int
    doubled: int
    matched: int
    notices: int
    wrong: tuple[str, ...]


def judge(kafka: Reached, url: str, settings: Settings, lines: Sequence[bytes], postbox: Postbox) -> Judgement:
    """Look at everything once the workers have read all and ended. `lines` are what was sent, each once."""
    held = held_messages(kafka)
    read = [decode(value, site_timezone=Protocol.load().tz) for value in held]
    events = {each.delivery_key for each in read if isinstance(each, Received)}
    refused = sum(isinstance(each, Refused) for each in read)
    written = records(url)
    facts = Counter(facts_on(written))
    kept = sum(record.stream.startswith("quarantine/") for record in written)
    lost = len(events - facts.keys()) + max(0, refused - kept)
    doubled = sum(facts.values()) - len(facts) + max(0, kept - refused)
    expected, found = essence(simulated(lines, until=latest(lines))), essence(replayed(url, latest(lines)))
    verified = verdict(url)
    told = {
        each.message_id
        for each in attempts_in(written)
        if each.channel not in TOPIC_CHANNELS and each.outcome == SendOutcome.DELIVERED
    }
    arrived = {headers[MESSAGE_ID_HEADER] for headers in postbox.headers}
    wrong = [
        *(f"{number} sent messages are not on the broker" for number in [len(set(lines) - set(held))] if number),
        *(f"{number} facts on the log were never sent" for number in [len(facts.keys() - events)] if number),
        *([f"the log is broken: {verified.broken}"] if verified.broken is not None else []),
        *([f"{len(verified.differs)} decisions differ"] if verified.differs else []),
        *(f"{name} differs from the simulation" for name in expected if found.get(name) != expected[name]),
        *committed_beyond(kafka, url, settings),
        *(f"{stream} is not in the order of {topic}" for stream, topic in out_of_order(written)),
        *(f"{number} notices that the log calls delivered never arrived" for number in [len(told - arrived)] if number),
    ]
    matched = sum(len(_alerts(found[name])) for name in expected if found.get(name) == expected[name])
    return Judgement(len(events) + refused, len(facts), kept, lost, doubled, matched, len(arrived), tuple(wrong))


def facts_on(written: Sequence[Record]) -> Iterator[str]:
    """The delivery key of each fact on the log, by what it says: the log keeps keys under a secret of its own."""
    for record in written:
        if record.origin is not None and record.stream.startswith("patient/") and record.kind != INPUT_REFUSED:
            yield restore(record.payload).delivery_key


def _alerts(patient: object) -> list[object]:
    assert isinstance(patient, dict)
    return list(patient["alerts"])


def out_of_order(written: Sequence[Record]) -> set[tuple[str, str]]:
    """Streams of patients that do not keep a topic's order, with the topic."""
    last: dict[tuple[str, str], int] = {}
    wrong = set()
    for record in written:
        if record.origin is None or not record.stream.startswith("patient/"):
            continue
        place = (record.stream, record.origin.topic)
        if record.origin.offset < last.get(place, 0):
            wrong.add(place)
        last[place] = record.origin.offset
    return wrong


def held_messages(kafka: Reached) -> list[bytes]:
    """Every message of the inbound topics, as the broker holds it now."""

    async def read() -> list[bytes]:
        client = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
        await client.start()
        try:
            places = [TopicPartition(topic, number) for topic in TOPICS for number in range(3)]
            client.assign(places)
            ends = await client.end_offsets(places)
            values: list[bytes] = []
            while len(values) < sum(ends.values()):
                for found in (await client.getmany(timeout_ms=1000)).values():
                    values += [record.value for record in found]
            return values
        finally:
            await client.stop()

    return asyncio.run(read())


def committed_beyond(kafka: Reached, url: str, settings: Settings) -> list[str]:
    """Offsets that the group has acknowledged and the log does not have, in words."""

    async def committed() -> dict[tuple[str, int], int]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap, request_timeout_ms=5_000)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(settings.group)
            return {tuple(place): position.offset for place, position in found.items()}
        finally:
            await admin.close()

    acknowledged = asyncio.run(committed())  # before the log is asked, whose positions only grow
    recorded = looked_at(url, lambda log: log.positions())
    at = {place: recorded[place].next_offset if place in recorded else 0 for place in acknowledged}
    return [
        f"{place[0]}/{place[1]}: acknowledged {offset}, but the log is at {at[place]}"
        for place, offset in acknowledged.items()
        if place[0] in TOPICS and offset > at[place]
    ]
