"""What clinicians report: adverse events, the state of the disease and of the graft."""

from typing import ClassVar, Literal

from monitor.events.record import RecordBlock
from monitor.events.scalars import Flag, Grade5, Number, Text, When


class AdverseEventReported(RecordBlock):
    """An adverse event. Null in `related` or `expected` means unknown, which counts as yes (protocol.md, SUSAR)."""

    says: ClassVar[tuple[str, ...]] = ("term", "ctcae_grade", "life_threatening", "serious", "infection", "outcome")

    term: Text = None
    ctcae_grade: Grade5 | None = None
    ctcae_version: Text = None
    laboratory: Flag | None = None
    life_threatening: Flag | None = None
    serious: Flag | None = None
    related: Flag | None = None
    expected: Flag | None = None
    infection: Flag | None = None
    onset_at: When | None = None
    aware_at: When | None = None
    outcome: Text = None


class DiseaseAssessed(RecordBlock):
    """State of the leukaemia: blasts in per cent, disease outside the marrow, the site's word on relapse."""

    says: ClassVar[tuple[str, ...]] = ("marrow_blast_percent", "blood_blast_percent", "extramedullary", "relapse")

    marrow_blast_percent: Number | None = None
    blood_blast_percent: Number | None = None
    extramedullary: Flag | None = None
    relapse: Flag | None = None


class GraftAssessed(RecordBlock):
    """State of the graft, in the site's words."""

    says: ClassVar[tuple[str, ...]] = ("rejection", "failure")

    rejection: Flag | None = None
    failure: Literal["none", "primary", "secondary", "poor_function"] | None = None
