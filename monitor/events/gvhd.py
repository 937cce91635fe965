"""Graft-versus-host disease: acute by MAGIC stages, chronic by NIH 2014 organ scores."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BeforeValidator, WithJsonSchema

from monitor.events.record import Frozen, RecordBlock
from monitor.events.scalars import Amount, Flag, Score3, Score4, Stage1, When

ROMAN: Final[Mapping[str, int]] = {"0": 0, "I": 1, "II": 2, "III": 3, "IV": 4}

Organ = Literal["skin", "mouth", "eyes", "gi", "liver", "lung", "joints", "genital"]


class AcuteStages(Frozen):
    """Stage of each organ; null: not assessed (never zero)."""

    skin: Score4 | None = None
    liver: Score4 | None = None
    upper_gi: Stage1 | None = None
    lower_gi: Score4 | None = None


class AcuteFindings(Frozen):
    """What was seen, where the stages were not worked out: per cent of skin, mg/dL, mL and episodes a day."""

    skin_bsa_percent: Amount | None = None
    erythroderma: Flag | None = None
    bullae: Flag | None = None
    desquamation_percent: Amount | None = None
    total_bilirubin_mg_dl: Amount | None = None
    upper_gi_persistent: Flag | None = None
    stool_ml_per_day: Amount | None = None
    diarrhoea_episodes_per_day: Amount | None = None
    severe_abdominal_pain: Flag | None = None
    ileus: Flag | None = None
    grossly_bloody_stool: Flag | None = None


def _read_grade(value: object) -> object:
    """`"II"` is 2. Anything else goes on to be read as a number."""
    if isinstance(value, str):
        return ROMAN.get(value.strip().upper(), value)
    return value


_GRADE_SCHEMA = {"enum": [0, 1, 2, 3, 4, "0", "1", "2", "3", "4", "I", "II", "III", "IV"]}
Grade = Annotated[Score4, BeforeValidator(_read_grade), WithJsonSchema(_GRADE_SCHEMA)]


class AcuteGvhdAssessed(RecordBlock):
    """One assessment of acute GVHD, by stages, by findings or by a reported grade alone."""

    says: ClassVar[tuple[str, ...]] = ("stages", "findings", "reported_grade")

    stages: AcuteStages | None = None
    findings: AcuteFindings | None = None
    reported_grade: Grade | None = None
    confidence: Literal["confirmed", "probable", "possible", "negative"] | None = None
    onset_at: When | None = None
    systemic_steroids: Flag | None = None

    def says_nothing(self) -> bool:
        """Ruling it out (`negative`) needs no stages."""
        return self.confidence != "negative" and super().says_nothing()


class ChronicGvhdAssessed(RecordBlock):
    """One assessment of chronic GVHD. An organ absent from `organ_scores`, or null in it, was not assessed."""

    says: ClassVar[tuple[str, ...]] = ("present", "organ_scores", "reported_severity", "overlap")

    present: Flag | None = None
    organ_scores: dict[Organ, Score3 | None] | None = None
    reported_severity: Literal["none", "mild", "moderate", "severe"] | None = None
    overlap: Flag | None = None
    diagnostic_sign: Flag | None = None
