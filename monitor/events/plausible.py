"""What is judged beyond the form of a fact: units, plausible ranges, times that cannot be known yet.

Each reading returns the fields it worked out; what it refuses it refuses with one reason of the closed set. A
retraction is not judged: what is taken back need not be right.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from monitor.events import units
from monitor.events.chimerism import ChimerismResulted
from monitor.events.clinical import DiseaseAssessed
from monitor.events.envelope import Reason
from monitor.events.gvhd import AcuteGvhdAssessed
from monitor.events.lab import Analyte, LabResulted
from monitor.events.loinc import (
    MEASURED,
    PREGNANCY_CODES,
    UMOL_PER_MG_DL_BILIRUBIN,
    Measured,
    is_slip,
)
from monitor.events.mrd import MrdResulted
from monitor.events.record import Frozen, RecordBlock

FUTURE_ALLOWANCE: Final = timedelta(minutes=10)  # clocks of instruments and senders differ; events.md
MAX_PERCENT: Final = Decimal(100)
MAX_MRD_RATIO: Final = Decimal(10_000)  # %, transcripts against a reference gene (domain-background.md, 2A)
MAX_TOTAL_BILIRUBIN: Final = 1500 / UMOL_PER_MG_DL_BILIRUBIN  # mg/dL, of 1500 umol/L

Derived = Mapping[str, Any]
NOTHING: Final[Derived] = MappingProxyType({})


class NotAcceptedError(Exception):
    """The fact is refused, and why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def derive(data: Frozen) -> Derived:
    """The fields worked out of a fact. Raises NotAcceptedError where it cannot be what it says."""
    if isinstance(data, RecordBlock) and data.retracted:
        return NOTHING
    reading = _READINGS.get(type(data))
    return reading(data) if reading else NOTHING


def refuse_future(data: Frozen, time: datetime, site: ZoneInfo) -> None:
    """Raises NotAcceptedError for a fact more than ten minutes later than its event (a date: a later local day)."""
    if not isinstance(data, RecordBlock):
        return
    latest, effective = time + FUTURE_ALLOWANCE, data.effective_at
    if isinstance(effective, datetime):
        ahead = effective > latest
    else:
        ahead = effective > latest.astimezone(site).date()
    if ahead:
        raise NotAcceptedError(Reason.FUTURE, f"effective at {effective}, later than the event itself ({time})")


def _within(value: Decimal, highest: Decimal, what: str) -> None:
    if not 0 <= value <= highest:
        raise NotAcceptedError(Reason.IMPLAUSIBLE, f"{what}: {value} is outside 0 to {highest:.6g}")


def _convert(value: Decimal, unit: str | None, canonical: str, what: str) -> Decimal:
    if unit is None:
        raise NotAcceptedError(Reason.UNIT_UNKNOWN, f"{what}: the unit is not there")
    try:
        return units.convert(value, unit, canonical)
    except units.UnitUnknownError:
        raise NotAcceptedError(Reason.UNIT_UNKNOWN, f"{what}: {unit[:40]!r} is not a UCUM unit") from None
    except units.UnitMismatchError:
        raise NotAcceptedError(
            Reason.UNIT_MISMATCH, f"{what}: {unit[:40]!r} does not fit; it is read in {canonical}"
        ) from None


def _lab(data: LabResulted) -> Derived:
    if is_slip(data.code):
        raise NotAcceptedError(Reason.INVALID_DATA, f"code: the check digit of {data.code} is wrong: a slip of the pen")
    if data.code in PREGNANCY_CODES:
        return {"analyte": Analyte.PREGNANCY, "positive": _is_positive(data)}
    measured = MEASURED.get(data.code)
    return _measure(data, measured) if measured else NOTHING


def _measure(data: LabResulted, measured: Measured) -> Derived:
    if not isinstance(data.value, Decimal):
        raise NotAcceptedError(Reason.INVALID_DATA, f"value: {measured.analyte} must be a number")
    if data.comparator not in (None, "<", ">"):
        raise NotAcceptedError(Reason.INVALID_DATA, "comparator: it is < or >, or absent")
    quantity = _convert(data.value, data.unit, measured.unit, measured.analyte)
    _within(quantity, measured.highest, f"{measured.analyte} in {measured.unit}")
    high = data.ref_high
    if isinstance(high, Decimal):
        if high < 0:
            raise NotAcceptedError(Reason.INVALID_DATA, "ref_high: below zero")
        high = _convert(high, data.unit, measured.unit, measured.analyte)
    else:
        high = None  # words where a limit should be: no upper limit was sent
    return {"analyte": measured.analyte, "quantity": quantity, "reference_high": high}


def _is_positive(data: LabResulted) -> bool:
    word = str(data.value).lower().replace("_", " ").replace("-", " ") if data.value is not None else ""
    if word not in _ANSWERS or data.comparator is not None:
        raise NotAcceptedError(Reason.INVALID_DATA, "value: a pregnancy test is positive or negative")
    return _ANSWERS[word]


_ANSWERS: Final[Mapping[str, bool]] = MappingProxyType(
    {"positive": True, "detected": True, "1": True, "true": True}
    | {"negative": False, "not detected": False, "0": False, "false": False}
)


def _mrd(data: MrdResulted) -> Derived:
    try:
        units.require_ucum(data.unit)
    except units.UnitUnknownError:
        raise NotAcceptedError(Reason.UNIT_UNKNOWN, f"unit: {data.unit[:40]!r} is not a UCUM unit") from None
    if data.value is None:
        return NOTHING
    try:
        percent = units.convert(data.value, data.unit, "%")
    except (units.UnitUnknownError, units.UnitMismatchError):
        percent = min(data.value, Decimal(0))  # copies, or copies in a volume: below zero alone is impossible
    is_share = data.assay in ("flow", "ngs")  # of cells or reads; the others are ratios to a reference gene
    _within(percent, MAX_PERCENT if is_share else MAX_MRD_RATIO, f"MRD by {data.assay}, in %")
    return NOTHING


def _chimerism(data: ChimerismResulted) -> Derived:
    percent = _convert(data.donor_percent, data.unit, "%", "donor_percent")
    _within(percent, MAX_PERCENT, "donor_percent")
    return {"donor_percent": percent, "unit": "%"}


def _disease(data: DiseaseAssessed) -> Derived:
    for name in ("marrow_blast_percent", "blood_blast_percent"):
        value = getattr(data, name)
        if value is not None:
            _within(value, MAX_PERCENT, name)
    return NOTHING


def _acute(data: AcuteGvhdAssessed) -> Derived:
    found = data.findings
    if found is not None:
        limits = {"skin_bsa_percent": MAX_PERCENT, "desquamation_percent": MAX_PERCENT}
        for name, highest in {**limits, "total_bilirubin_mg_dl": MAX_TOTAL_BILIRUBIN}.items():
            value = getattr(found, name)
            if value is not None:
                _within(value, highest, f"findings.{name}")
    return NOTHING


_READINGS: Final[Mapping[type[Frozen], Callable[[Any], Derived]]] = MappingProxyType(
    {
        LabResulted: _lab,
        MrdResulted: _mrd,
        ChimerismResulted: _chimerism,
        DiseaseAssessed: _disease,
        AcuteGvhdAssessed: _acute,
    }
)
