"""A history that grows past all that patients have: it is assessed as any other, and somebody looks at what fills it.

Nobody is left unwatched for the size of a history. But its memory and its time are the others', too, and tens of
thousands of records are no course of a disease: a feed repeats itself under new names.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from monitor.operations.trouble import Trouble

RULE: Final = "ops.history-size"


class Histories(Protocol):
    """The log, as this check sees it."""

    async def patients_past(self, version: int) -> int:
        """How many patients' streams hold more than so many records."""


class HistorySize:
    """The check: patients of whom more than `records` are on the log."""

    rule = RULE

    def __init__(self, log: Histories, *, records: int) -> None:
        self._log = log
        self._records = records

    async def troubles(self, now: datetime) -> Sequence[Trouble]:
        """One for all of them: no patient is named. Raises DatabaseUnavailable."""
        number = await self._log.patients_past(self._records)
        if not number:
            return ()
        whose = "one patient" if number == 1 else f"{number} patients"
        return (
            Trouble(
                rule=RULE,
                item="",
                since=now.replace(hour=0, minute=0, second=0, microsecond=0),
                summary=f"The history of {whose} has more than {self._records} records",
                priority="medium",
                details={"patients": number, "records": self._records},
            ),
        )
