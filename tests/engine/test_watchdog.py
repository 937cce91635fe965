"""A process that makes no progress is ended; one that waits for work is not."""

from dataclasses import dataclass
from typing import NoReturn

from monitor.agents.watchdog import Watchdog


@dataclass
class Time:
    at: float = 0.0

    def __call__(self) -> float:
        return self.at


def _leave(code: int, why: str) -> NoReturn:
    raise AssertionError(f"{code}: {why}")


def test_waiting_for_work_is_no_standstill() -> None:
    time = Time()
    dog = Watchdog(_leave, 10, time)
    with dog.working():
        time.at = 5
    time.at = 9
    assert dog.stuck() is None


def test_a_batch_that_never_ends_is_one() -> None:
    time = Time()
    dog = Watchdog(_leave, 10, time)
    with dog.working():
        time.at = 11
        dog.beat()
        assert dog.stuck() == "no batch has come to its end for 11 s"


def test_a_loop_that_does_not_turn_is_one() -> None:
    time = Time()
    dog = Watchdog(_leave, 10, time)
    time.at = 12
    assert dog.stuck() == "the event loop has not turned for 12 s"


def test_others_that_come_to_their_end_are_progress() -> None:
    time = Time()
    dog = Watchdog(_leave, 10, time)
    with dog.working():
        time.at = 6
        with dog.working():
            time.at = 9
        assert dog.stuck() is None
