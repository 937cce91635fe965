"""What a storm sends, and through everything."""

import random
import threading
import time
from collections.abc import Sequence

from monitor.errors import MonitorError
from monitor.generate.trial import generate_trial
from monitor.settings import Settings
from tests.engine.wire import publish

PATIENTS = 4
DAYS = 365
PORTION = 50  # lines published at a time
BURSTS = 4  # of poison
POISON = 12  # messages in a burst


class Publisher(threading.Thread):
    """Publishes portion after portion, through everything; a portion that failed is sent again, whole."""

    def __init__(self, settings: Settings, lines: Sequence[bytes], pause: float) -> None:
        """`pause`: seconds between two portions."""
        super().__init__(daemon=True)
        self._settings = settings
        self._lines = lines
        self._pause = pause
        self.again = 0

    def run(self) -> None:
        for start in range(0, len(self._lines), PORTION):
            while not self._sent(self._lines[start : start + PORTION]):
                self.again += 1
            time.sleep(self._pause)

    def _sent(self, lines: Sequence[bytes]) -> bool:
        try:
            publish(self._settings, lines)
        except (MonitorError, OSError, TimeoutError):
            time.sleep(0.5)
            return False
        return True


def lines_of(seed: int, events: int) -> list[bytes]:
    """The first events of a trial, with bursts of what nobody can read."""
    chance = random.Random(f"{seed}/poison")
    lines = generate_trial(PATIENTS, seed, DAYS).text().encode().splitlines()[:events]
    for burst in range(BURSTS):
        at = chance.randrange(len(lines))
        lines[at:at] = [b"{poison %d %d" % (burst, number) for number in range(POISON)]
    return lines
