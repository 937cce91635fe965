"""Laboratory results, and what the rules read of them (events.md, "Laboratory codes")."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import PlainValidator, WithJsonSchema

from monitor.events.canonical import canonical
from monitor.events.record import RecordBlock
from monitor.events.scalars import Text, Word, looks_like_number, read_number, read_text, visible


class Analyte(StrEnum):
    """What the rules read in laboratory results."""

    NEUTROPHILS = "neutrophils"
    PLATELETS = "platelets"
    WBC = "wbc"
    BLOOD_BLASTS = "blood_blasts"
    AST = "ast"
    ALT = "alt"
    DIRECT_BILIRUBIN = "direct_bilirubin"
    TOTAL_BILIRUBIN = "total_bilirubin"
    CREATININE = "creatinine"
    CREATININE_CLEARANCE = "creatinine_clearance"
    PREGNANCY = "pregnancy"


LabValue = Decimal | str | bool | None


def _read_value(value: object) -> LabValue:
    """A number if it is one, else the text as it stands: results of codes that no rule reads may be anything."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return read_number(value) if looks_like_number(value.strip()) else read_text(value)
    if isinstance(value, int | Decimal):
        return read_number(value)
    return visible(canonical(value))


def _read_unit(value: object) -> str | None:
    """The unit as text, `"1"` among them; what is no text cannot be a unit, and is kept as the text that it was."""
    return read_text(value if value is None or isinstance(value, str) else canonical(value))


_VALUE_SCHEMA = WithJsonSchema({"description": "a number, a string of one, or the words of the result"})
Value = Annotated[LabValue, PlainValidator(_read_value), _VALUE_SCHEMA]
Unit = Annotated[str | None, PlainValidator(_read_unit), WithJsonSchema({"description": "UCUM, as text"})]


class LabResulted(RecordBlock):
    """One laboratory result.

    `analyte` tells what the rules read in it (None: nothing). Of a decoded result, `quantity` is the value and
    `reference_high` the upper limit of normal in the canonical unit of the code (10*9/L, U/L, %, mg/dL or umol/L,
    mL/min); `positive` is the answer of a pregnancy test.
    """

    derived: ClassVar[frozenset[str]] = frozenset({"analyte", "quantity", "reference_high", "positive"})

    code: Word
    specimen: Text = None
    value: Value = None
    comparator: Text = None
    unit: Unit = None
    ref_low: Value = None
    ref_high: Value = None
    lab: Text = None
    analyte: Analyte | None = None
    quantity: Decimal | None = None
    reference_high: Decimal | None = None
    positive: bool | None = None
