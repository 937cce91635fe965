"""What the agents ask of the recorder: take these messages, and say where each partition stands."""

from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn, Protocol

from monitor.audit.batch import Position
from monitor.recorder.inputs import Input

TopicPartition = tuple[str, int]

SOFTWARE = 70  # EX_SOFTWARE: a mistake of the program's own
TEMPORARY = 75  # EX_TEMPFAIL: try again later
SUPERSEDED = 77  # EX_NOPERM: a newer start of this instance is at work; to start again would end that one
POSITIONS = 78  # EX_CONFIG: the broker does not hold what the log recorded; a person must look


class Keeper(Protocol):
    """The recorder, as the agents see it: it serialises its callers."""

    async def record(self, inputs: Sequence[Input]) -> None:
        """Record messages of one topic, in order. When it returns, they are on the log; when it raises, none is."""

    async def assigned(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """These partitions are ours now: own them, forget what was cached, tell the position of each known one."""

    def recorded(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, Position]:
        """How far the known ones of these partitions are on the log now."""

    def fetched(self, ends: Mapping[TopicPartition, int]) -> None:
        """The broker answered a fetch since this was last called; the next offset it will give, by partition."""


class Leave(Protocol):
    """Ends the process at once, with nothing acknowledged."""

    def __call__(self, code: int, why: str) -> NoReturn: ...
