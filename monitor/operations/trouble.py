"""What may be wrong with the system itself, as opposed to a patient: found by checks, told as `ops.*` alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from monitor.core.finding import Detail, Priority


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something people should hear of for as long as it is so.

    `item` tells one from another under a rule (a topic, a source); `since` tells one time from the next: what a person
    has closed is not told again before it has another. `summary` is a sentence without patients and without secrets.
    """

    rule: str
    item: str
    since: datetime
    summary: str
    priority: Priority = "high"
    details: Mapping[str, Detail] = field(default_factory=dict)


class Check(Protocol):
    """Looks for troubles of one rule; what it finds no more has ended."""

    @property
    def rule(self) -> str:
        """The rule it speaks for, an `ops.*`; no other check does."""

    async def troubles(self, now: datetime) -> Sequence[Trouble]:
        """All that is wrong at `now` (the wall clock). Raises DatabaseUnavailable."""
