"""What a storm comes over, all drawn from its seed: brokers, a database, workers, and people who are told."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.audit.schema import upgrade
from tests.storm import faults
from tests.storm.crew import Crew
from tests.storm.disk import small_disk
from tests.storm.faults import Faults
from tests.support.broker import with_topics
from tests.support.kafka_cluster import KafkaCluster, kafka_cluster
from tests.support.postbox import Postbox, http_postbox, routing_to
from tests.support.postgres import PostgresCluster
from tests.support.proxy import proxy_to
from tests.support.worker import WorkerProcess, worker_process

NAMES = ("first", "second", "third")
KINDS = ((1, 2, "PostgreSQL"), (3, 3, "PostgreSQL"), (1, 1, "SQLite"), (3, 2, "PostgreSQL"))  # by seed, in turn


@dataclass(frozen=True)
class Scene:
    """All that runs. `url` is the log's, past the proxy; `faults` are those that can strike here."""

    kafka: KafkaCluster
    url: str
    crew: Crew
    postbox: Postbox
    faults: Faults
    what: str


@contextmanager
def scene(seed: int, chance: random.Random, postgres: PostgresCluster, folder: Path) -> Iterator[Scene]:
    """A scene that does not outlive the block; what the workers say is written below `folder`."""
    nodes, workers, database = KINDS[seed % len(KINDS)]
    with ExitStack() as stack:
        kafka = stack.enter_context(kafka_cluster(nodes))
        with_topics(kafka, kafka.replication)
        postbox = stack.enter_context(http_postbox())
        if database == "SQLite":
            disk = stack.enter_context(small_disk())
            file = disk.folder / "log.db"
            url = theirs = f"sqlite:///{file}"
            of_database = faults.of_sqlite(chance, file, disk)
        else:
            proxy = stack.enter_context(proxy_to(postgres.port))
            url = postgres.database()
            theirs = url.replace(f":{postgres.port}/", f":{proxy.port}/")
            of_database = faults.of_postgresql(chance, postgres, proxy)
        asyncio.run(upgrade(url))
        crew = Crew([stack.enter_context(_worker(kafka, theirs, folder / name, postbox)) for name in NAMES[:workers]])
        possible = {
            **faults.of_workers(chance, crew),
            **faults.of_brokers(chance, kafka),
            **faults.of_clocks(chance, crew),
            **of_database,
        }
        yield Scene(kafka, url, crew, postbox, possible, f"brokers {nodes}, workers {workers}, {database}")


@contextmanager
def _worker(kafka: KafkaCluster, url: str, folder: Path, postbox: Postbox) -> Iterator[WorkerProcess]:
    folder.mkdir(parents=True)
    routing, skew = folder / "routing.yaml", folder / "skew"
    routing.write_text(routing_to(postbox))
    skew.write_text("0")
    with worker_process(kafka, url, folder, INSTANCE=folder.name, ROUTING=str(routing)) as worker:
        worker.skew = skew
        yield worker
