"""What a storm does to two workers, their broker and their database. Each fault ends before the next begins."""

import random
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.kafka import KafkaBroker
from tests.support.postgres import PostgresCluster
from tests.support.worker import WorkerProcess

NOT_BEGUN = -signal.SIGTERM  # told to stop before it had anything in hand
AGAIN = (1, 75)  # a supervisor starts these again: a database or broker that was not there


@dataclass
class Weather:
    """The faults, drawn from `chance`; `crashes` are ends of workers that nobody brought about."""

    chance: random.Random
    kafka: KafkaBroker
    postgres: PostgresCluster
    workers: tuple[WorkerProcess, ...]
    faults: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    def strike(self) -> None:
        """One fault, and workers up again."""
        kind = self.chance.choice(sorted(self._kinds))
        self.faults.append(kind)
        self._kinds[kind]()
        self.revive()

    def revive(self) -> None:
        """Do what a supervisor does: start again what ended by itself, unless its code says no."""
        for worker in self.workers:
            process = worker.process
            if process is not None and (code := process.poll()) is None:
                continue
            if process is not None and code not in AGAIN:
                self.crashes.append(f"a worker ended with {code}: {worker.said()[-600:]}")
            worker.start()

    @property
    def _kinds(self) -> Mapping[str, Callable[[], None]]:
        return {
            "kill -9": self._kill,
            "SIGTERM": self._terminate,
            "freeze": self._freeze,
            "broker killed": self._broker_killed,
            "broker restarted": self._broker_restarted,
            "database crash": self._database_crash,
            "database away": self._database_away,
        }

    def _any(self) -> WorkerProcess:
        worker = self.chance.choice(self.workers)
        if worker.process is not None and worker.process.poll() is not None:
            self.revive()
        return worker

    def _kill(self) -> None:
        worker = self._any()
        worker.kill()
        worker.start()

    def _terminate(self) -> None:
        worker = self._any()
        code = worker.stop()
        if code not in {0, NOT_BEGUN, *AGAIN}:
            self.crashes.append(f"a worker that was told to stop ended with {code}: {worker.said()[-600:]}")
        worker.start()

    def _freeze(self) -> None:
        """Past the session timeout now and then: the other worker then has its partitions."""
        worker = self._any()
        assert worker.process is not None
        worker.process.send_signal(signal.SIGSTOP)
        time.sleep(self.chance.choice([1, 4, 12]))
        worker.process.send_signal(signal.SIGCONT)

    def _broker_killed(self) -> None:
        self.kafka.kill()
        time.sleep(self.chance.uniform(0, 3))
        self.kafka.start()

    def _broker_restarted(self) -> None:
        self.kafka.stop()
        self.kafka.start()

    def _database_crash(self) -> None:
        self.postgres.stop("immediate")
        self.postgres.start()

    def _database_away(self) -> None:
        self.postgres.stop("fast")
        time.sleep(self.chance.uniform(1, 6))
        self.postgres.start()
