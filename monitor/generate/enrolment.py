"""What the site sends when it enrols a patient: the form, and the tests that eligibility rests on."""

from __future__ import annotations

from datetime import timedelta

from monitor.generate.chart import Chart
from monitor.generate.disease import marrow
from monitor.generate.gvhd import assess_acute, assess_chronic
from monitor.generate.laboratory import chemistry, counts, pregnancy
from monitor.generate.message import moment


def enrol(chart: Chart) -> None:
    """Write the tests of the days before, then the enrolment."""
    patient = chart.course.patient
    day = patient.enrolled_on
    counts(chart, day - 2)
    chemistry(chart, day - 2)
    pregnancy(chart, day - 2)
    marrow(chart, day - 8)
    assess_acute(chart, day - 1)
    assess_chronic(chart, day - 1)
    consent_at = chart.moment(day - 1, 9)
    data = {
        "hct_date": patient.transplanted_on.isoformat(),
        "donor_type": "haploidentical",
        "graft_source": "peripheral_blood",
        "conditioning": "busulfan_myeloablative",
        "high_risk": True,
        "sex": patient.sex,
        "birth_year": patient.birth_year,
        "weight_kg": str(patient.weight_kg),
        "height_cm": str(patient.height_cm),
        "ecog": patient.ecog,
        "complete_remission": True,
        "consent_at": moment(consent_at + timedelta(minutes=10)),
    }
    chart.write("patient.enrolled", day, data, hour=15, delay_hours=0)
