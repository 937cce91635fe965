"""What was given and decided. A dose whose number, cycle or size is not stated is still a dose."""

from typing import ClassVar, Literal

from pydantic import Field

from monitor.events.record import Frozen, RecordBlock
from monitor.events.scalars import Dose, Flag, Ordinal, Text


class AzacitidineGiven(RecordBlock):
    """One day's azacitidine; the dose in mg/m2 of body surface."""

    cycle: Ordinal | None = None
    day: Ordinal | None = None
    dose_mg_m2: Dose | None = None


class Premedication(Frozen):
    """A drug given before an infusion; `drug_class` is `class` on the wire."""

    name: Text = None
    drug_class: Literal["antihistamine", "corticosteroid", "other"] | None = Field(default=None, alias="class")
    topical: Flag | None = None


class DliInfused(RecordBlock):
    """A donor lymphocyte infusion; `cd3_per_kg` in CD3+ cells per kg of the recipient's weight."""

    number: Ordinal | None = None
    cd3_per_kg: Dose | None = None
    premedication: tuple[Premedication, ...] | None = None


class MedicationGiven(RecordBlock):
    """Any other medication."""

    says: ClassVar[tuple[str, ...]] = ("name", "systemic_corticosteroid", "intensification")

    name: Text = None
    systemic_corticosteroid: Flag | None = None
    intensification: Flag | None = None


class TreatmentDecided(RecordBlock):
    """A decision on treatment. Without `signed_by` it is recorded and changes nothing."""

    decision: Literal["stop", "hold", "restart", "continue", "complete", "withdraw"]
    rationale: Text = None
    signed_by: Text = None
