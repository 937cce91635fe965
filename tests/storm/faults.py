"""What may happen to workers, brokers, databases and clocks. Each fault ends before its function returns."""

import random
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from monitor.events.catalogue import TOPICS
from tests.storm.crew import Crew
from tests.storm.disk import SmallDisk
from tests.support.kafka import KafkaBroker
from tests.support.kafka_cluster import KafkaCluster
from tests.support.postgres import PostgresCluster
from tests.support.proxy import Proxy

Faults = Mapping[str, Callable[[], None]]

FREEZES = (1, 4, 12)  # seconds; the last is past the session timeout: others then have its partitions
ABSENCES = (2, 6, 14)  # seconds without one worker
OUTAGES = (5, 8, 15, 60)  # seconds without the database; the last is past the workers' patience
SLOWNESS = (0.02, 0.1, 0.3)  # seconds that each piece of traffic with the database takes
SLOW_FOR = 10.0  # seconds
SILENCES = (5, 12)  # seconds in which the database takes everything and answers nothing
FULL_FOR = (2, 8)  # seconds
JUMPS = (-7200, -90, 90, 7200)  # seconds by which a clock is wrong from then on


def of_workers(chance: random.Random, crew: Crew) -> Faults:
    """What happens to processes."""

    def kill() -> None:
        worker = crew.any(chance)
        worker.kill()
        worker.start()

    def terminate() -> None:
        worker = crew.any(chance)
        crew.stop(worker)
        worker.start()

    def freeze() -> None:
        process = crew.any(chance).process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        time.sleep(chance.choice(FREEZES))
        process.send_signal(signal.SIGCONT)

    def leave() -> None:
        worker = crew.any(chance)
        crew.stop(worker)
        time.sleep(chance.choice(ABSENCES))
        worker.start()

    alone = {"kill -9": kill, "SIGTERM": terminate, "freeze": freeze}
    return alone if len(crew.workers) == 1 else {**alone, "worker away": leave}


def of_brokers(chance: random.Random, kafka: KafkaCluster) -> Faults:
    """What happens to one node: of several, one that leads, or controls."""

    def away(node: KafkaBroker) -> None:
        node.kill()
        time.sleep(chance.uniform(0, 3))
        node.start()

    def leader() -> KafkaBroker:
        return kafka.leader(chance.choice(TOPICS), chance.randrange(3))

    def restart() -> None:
        node = chance.choice(kafka.nodes)
        node.stop()
        node.start()

    if len(kafka.nodes) == 1:
        return {"broker killed": lambda: away(kafka.nodes[0]), "broker restarted": restart}
    return {
        "leader killed": lambda: away(leader()),
        "controller killed": lambda: away(kafka.controller()),
        "broker restarted": restart,
    }


def of_postgresql(chance: random.Random, postgres: PostgresCluster, proxy: Proxy) -> Faults:
    """What happens to the server, or between it and the workers."""

    def crash() -> None:
        postgres.stop("immediate")
        postgres.start()

    def restart() -> None:
        postgres.stop("fast")
        postgres.start()

    def away() -> None:
        proxy.cut()
        time.sleep(chance.choice(OUTAGES))
        proxy.mend()

    def slow() -> None:
        proxy.delay = chance.choice(SLOWNESS)
        time.sleep(SLOW_FOR)
        proxy.mend()

    def silent() -> None:
        proxy.hold()
        time.sleep(chance.choice(SILENCES))
        proxy.mend()

    return {
        "database crash": crash,
        "database restarted": restart,
        "database away": away,
        "database slow": slow,
        "database silent": silent,
    }


def of_sqlite(chance: random.Random, file: Path, disk: SmallDisk) -> Faults:
    """What happens to the file."""

    def full() -> None:
        disk.fill()
        time.sleep(chance.choice(FULL_FOR))
        disk.clear()

    def locked() -> None:
        with closing(sqlite3.connect(file, isolation_level=None, timeout=30)) as intruder:
            intruder.execute("BEGIN IMMEDIATE")
            time.sleep(chance.choice(OUTAGES[:2]))

    return {"file locked": locked, **({"disk full": full} if disk.mounted else {})}


def of_clocks(chance: random.Random, crew: Crew) -> Faults:
    """A clock that is set; it stays so."""

    def jump() -> None:
        skew = chance.choice(crew.workers).skew
        assert skew is not None
        skew.write_text(str(chance.choice(JUMPS)))

    return {"clock jump": jump}
