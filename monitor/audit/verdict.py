"""What `verify` found."""

from dataclasses import dataclass

from monitor.audit.checker import Broken
from monitor.audit.decisions import Difference


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verify found. `broken` is the first broken record; with it, decisions are not looked at.

    `undecided` counts patients whose decisions cannot be derived again: made under another protocol file, or by an
    assessment that fails. `redacted` counts records, `erased` patients of whom facts or decisions were erased whole:
    the others' decisions follow from what was left. `checkpoints` counts those that the log was held against.
    `upgraded`: another version of the program decided some of it. `returned` counts redacted records that can be read
    again, since a backup brought back their keys.
    """

    records: int = 0
    checkpoints: int = 0
    patients: int = 0
    decisions: int = 0
    broken: Broken | None = None
    differs: tuple[Difference, ...] = ()
    undecided: int = 0
    redacted: int = 0
    returned: int = 0
    erased: int = 0
    upgraded: bool = False

    @property
    def tampered(self) -> bool:
        """Is a record broken, or a decision other than this very program makes of its facts?"""
        return self.broken is not None or any(not difference.newer for difference in self.differs)
