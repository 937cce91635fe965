"""A patient as the recorder holds it."""

from dataclasses import dataclass

from monitor.core.patient import Patient


@dataclass(frozen=True, slots=True)
class Known:
    """A patient in memory with the versions of its streams that this state stands for.

    `patient` is None while it cannot be assessed: its facts are recorded and wait for a mend. `redacted`: something of
    it was erased, so that only the log can tell what was delivered before.
    """

    patient: Patient | None
    facts: int  # version of `patient/<id>`
    decided: int  # version of `alert/<id>`
    redacted: bool = False
