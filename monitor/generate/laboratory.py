"""The hospital's laboratory: blood counts, chemistry, pregnancy. Values wander within what azacitidine leaves."""

from __future__ import annotations

from typing import Final

from monitor.generate.chart import Chart

NEUTROPHILS: Final = "751-8"
PLATELETS: Final = "777-3"
AST: Final = "1920-8"
ALT: Final = "1742-6"
DIRECT_BILIRUBIN: Final = "14629-0"
CREATININE: Final = "14682-9"
CLEARANCE: Final = "2164-2"
PREGNANCY: Final = "2118-8"


def counts(chart: Chart, day: int, *, nadir: bool = False) -> None:
    """Neutrophils and platelets (10*9/L); lower in the middle of a cycle."""
    rng = chart.rng
    neutrophils = rng.triangular(0.7, 2.6, 1.5) if nadir else rng.triangular(1.3, 6.5, 3.0)
    platelets = rng.triangular(45, 140, 90) if nadir else rng.triangular(72, 260, 150)
    _result(chart, day, NEUTROPHILS, f"{neutrophils:.2f}", "10*9/L", low="1.8", high="6.3")
    _result(chart, day, PLATELETS, f"{platelets:.0f}", "10*9/L", low="125", high="350")


def chemistry(chart: Chart, day: int) -> None:
    """Liver and kidney, each with the upper limit that the rules compare with."""
    rng = chart.rng
    serum = "serum"
    _result(chart, day, AST, f"{rng.triangular(12, 78, 26):.0f}", "U/L", high="40", specimen=serum)
    _result(chart, day, ALT, f"{rng.triangular(10, 92, 28):.0f}", "U/L", high="50", specimen=serum)
    _result(chart, day, DIRECT_BILIRUBIN, f"{rng.triangular(1.2, 9.5, 3.4):.1f}", "umol/L", high="6.8", specimen=serum)
    _result(chart, day, CREATININE, f"{rng.triangular(44, 112, 68):.0f}", "umol/L", high="104", specimen=serum)
    _result(chart, day, CLEARANCE, f"{rng.triangular(58, 128, 92):.0f}", "mL/min", low="80", specimen="urine")


def pregnancy(chart: Chart, day: int) -> None:
    """A negative test, of every woman."""
    if chart.course.patient.sex == "female":
        _result(chart, day, PREGNANCY, "negative", None, specimen="serum")


def _result(
    chart: Chart,
    day: int,
    code: str,
    value: str,
    unit: str | None,
    *,
    low: str | None = None,
    high: str | None = None,
    specimen: str = "blood",
) -> None:
    data = {"code": code, "specimen": specimen, "value": value, "unit": unit, "ref_low": low, "ref_high": high}
    chart.write("lab.resulted", day, data | {"lab": "central"}, hour=7, delay_hours=chart.rng.randint(1, 5))
