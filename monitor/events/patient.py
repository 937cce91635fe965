"""Facts about the patient's part in the trial: enrolment and its end."""

from typing import Literal

from monitor.events.record import RecordBlock
from monitor.events.scalars import Day, Dose, Ecog, Flag, Text, When, Year


class PatientEnrolled(RecordBlock):
    """Baseline facts. `hct_date` is day 0 of every count of days; what else is unknown may come later."""

    hct_date: Day
    donor_type: Text = None
    graft_source: Text = None
    conditioning: Text = None
    high_risk: Flag | None = None
    sex: Text = None
    birth_year: Year | None = None
    weight_kg: Dose | None = None
    height_cm: Dose | None = None
    ecog: Ecog | None = None
    complete_remission: Flag | None = None
    consent_at: When | None = None


class StatusChanged(RecordBlock):
    """The patient has left the study, and how."""

    patient_status: Literal["withdrawn", "died", "lost"]
