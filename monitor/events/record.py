"""The record block that every clinical fact carries (events.md, "Envelope")."""

from enum import StrEnum
from typing import ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from monitor.events.scalars import Text, Version, When, Word


class Status(StrEnum):
    """Where a record stands. Amended and corrected replace; cancelled and entered-in-error take back."""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    AMENDED = "amended"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


RETRACTED: Final = frozenset({Status.CANCELLED, Status.ENTERED_IN_ERROR})
NEEDS_REASON: Final = RETRACTED | {Status.AMENDED, Status.CORRECTED}


class Frozen(BaseModel):
    """What the models of this package share: they never change, and keep fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, defer_build=True)

    derived: ClassVar[frozenset[str]] = frozenset()  # fields that we work out; never taken from a sender


class RecordBlock(Frozen):
    """A clinical fact's identity, version, standing and clinical time.

    `effective_at` is in UTC, or a date where only the day is known. Also the reading of a retraction whose clinical
    fields are missing or cannot be read: what is taken back need not be right.
    """

    says: ClassVar[tuple[str, ...]] = ()  # a fact must say at least one of these, or it says nothing

    record_id: Word
    record_version: Version
    status: Status = Status.FINAL
    reason: Text = None
    effective_at: When
    reported_by: Text = None

    @property
    def retracted(self) -> bool:
        """Whether this version takes its record back."""
        return self.status in RETRACTED

    def says_nothing(self) -> bool:
        """Whether no clinical field is there that a rule could read."""
        return bool(self.says) and all(getattr(self, name) is None for name in self.says)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if not self.retracted and self.says_nothing():
            raise PydanticCustomError("says_nothing", "says none of {names}", {"names": ", ".join(self.says)})
        if self.reason is None and self.status in NEEDS_REASON:
            raise PydanticCustomError("missing_reason", "{status} needs a reason", {"status": self.status.value})
        return self
