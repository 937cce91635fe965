"""The workers of a storm and their supervisor."""

import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.worker import WorkerProcess

NOT_BEGUN = -signal.SIGTERM  # told to stop before it had anything in hand
AGAIN = (1, 75)  # a supervisor starts these again: a database or broker that was not there


@dataclass
class Crew:
    """All workers of one log. `crashes` are ends that nobody brought about, in words."""

    workers: Sequence[WorkerProcess]
    crashes: list[str] = field(default_factory=list)

    def any(self, chance: random.Random) -> WorkerProcess:
        """One of them, at work."""
        self.revive()
        return chance.choice(self.workers)

    def revive(self) -> None:
        """Do what a supervisor does: start again what ended by itself, unless its code says no."""
        for worker in self.workers:
            process = worker.process
            if process is not None and (code := process.poll()) is None:
                continue
            if process is not None and code not in AGAIN:
                self.crashes.append(f"a worker ended with {code}: {worker.said()[-600:]}")
            worker.start()

    def stop(self, worker: WorkerProcess) -> None:
        """Tell one to end, and see that it ends well."""
        code = worker.stop()
        if code not in {0, NOT_BEGUN, *AGAIN}:
            self.crashes.append(f"a worker that was told to stop ended with {code}: {worker.said()[-600:]}")
