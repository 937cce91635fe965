"""One storm, from an empty broker and an empty database to the judgement of what it left."""

import random
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka.errors import KafkaError

from monitor.errors import MonitorError
from monitor.events.catalogue import TOPICS
from tests.storm.judging import Judgement, committed_beyond, judge
from tests.storm.publishing import Publisher, lines_of
from tests.storm.scene import Scene, scene
from tests.support.postgres import PostgresCluster
from tests.support.reading import looked_at, recorded_messages
from tests.support.waiting import wait_until

SETTLE = 240.0  # seconds until all is read and told once the storm is over: a database's patience, and more
NOT_YET = (KafkaError, MonitorError, TimeoutError)  # what has just come back may not answer yet
EVIDENCE = Path("out/storms").absolute()  # what is kept of storms that left something wrong


@dataclass(frozen=True)
class Aftermath:
    """A storm that is over. `wrong` says in words what must not be."""

    what: str
    struck: Sequence[str]
    left: Judgement
    sent_again: int
    wrong: Sequence[str]


def storm(seed: int, postgres: PostgresCluster, *, events: int, strikes: int) -> Aftermath:
    """Let one go over a trial of so many events, with so many faults."""
    chance = random.Random(f"{seed}/faults")
    lines = lines_of(seed, events)
    evidence = EVIDENCE / str(seed)
    shutil.rmtree(evidence, ignore_errors=True)
    with scene(seed, chance, postgres, evidence) as here:
        settings = here.crew.workers[0].settings
        here.crew.revive()
        publisher = Publisher(settings, lines, pause=1.5)
        publisher.start()
        struck: list[str] = []
        wrong: list[str] = []
        for _ in range(strikes):
            time.sleep(chance.uniform(0.5, 4))
            struck.append(chance.choice(sorted(here.faults)))
            here.faults[struck[-1]]()
            here.crew.revive()
            with suppress(*NOT_YET):
                wrong += committed_beyond(here.kafka, here.url, settings)
        wrong += _unsettled(here, publisher)
        for worker in here.crew.workers:
            here.crew.stop(worker)
        left = judge(here.kafka, here.url, settings, lines, here.postbox)
    wrong += (*left.wrong, *here.crew.crashes)
    if not (wrong or left.lost or left.doubled):
        shutil.rmtree(evidence)
    return Aftermath(here.what, struck, left, publisher.again, wrong)


def _unsettled(here: Scene, publisher: Publisher) -> list[str]:
    """Wait until all is read and told; what is not, in words."""

    def settled() -> bool:
        here.crew.revive()
        with suppress(*NOT_YET):
            read = not publisher.is_alive() and recorded_messages(here.url) == here.kafka.end(*TOPICS)
            return read and not looked_at(here.url, lambda log: log.outbox_backlog())
        return False

    try:
        wait_until(settled, "all is read and told", SETTLE)
    except AssertionError:
        return [*_left_over(here), *(["not everything was published"] if publisher.is_alive() else [])]
    return []


def _left_over(here: Scene) -> list[str]:
    """What is unread, and who is not told, in words."""
    at = looked_at(here.url, lambda log: log.positions())
    waiting = looked_at(here.url, lambda log: log.outbox_backlog())
    ends = {place: held.end for place, held in here.kafka.held(*TOPICS).items()}
    read = {place: at[place].next_offset if place in at else 0 for place in ends}
    return [
        *(f"{topic}/{number} is read to {read[topic, number]} of {end}" for (topic, number), end in ends.items()
          if read[topic, number] != end),
        *(f"{rows.pending} rows of {rows.channel} are not told" for rows in waiting),
    ]  # fmt: skip
