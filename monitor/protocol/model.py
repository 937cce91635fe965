"""The protocol file as a frozen model: every threshold and reading, unknown keys refused, hashed."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from monitor.errors import ProtocolInvalid

Positive = Annotated[Decimal, Field(gt=0)]
Days = Annotated[int, Field(gt=0)]


LATER = {"eligibility": ("acute_gvhd_fails_from_grade", "chronic_gvhd_fails_from_severity")}
"""Fields that a log's first files did not have: with its default, such a field is no part of the hash."""


class Section(BaseModel):
    """A part of the protocol file. Frozen; a key it does not know is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Start(Section):
    """Days after transplant (D0) of the first dose, clause dosing.1."""

    first_day: int = 90
    undisputed_until_day: int = 120
    last_day: int = 180


class AcuteGvhd(Section):
    """Lowest MAGIC grade that stops: "above II degree" read as II and up (2) or III and up (3)."""

    stop_grade: Literal[2, 3] = 2


class ChronicGvhd(Section):
    """Lowest NIH severity that stops: "above moderate" read inclusively or as severe alone."""

    stop_severity: Literal["moderate", "severe"] = "moderate"


class Overlap(Section):
    """Severity from which an overlap syndrome stops."""

    stop_severity: Literal["any", "moderate"] = "any"


class Restart(Section):
    """How "1 to 2 months" and "remission" are read, clause stop.2."""

    unit: Literal["days", "calendar_months", "cycle_days"] = "days"
    remission: Literal["complete", "complete_or_grade_1"] = "complete"
    closing_notice_days: Days = 7


class Mrd(Section):
    """MRD rises, clause dosing.3; ">1 log" is strictly more than `rise_factor` times the reference."""

    reference: Literal["nadir", "previous", "baseline"] = "nadir"
    rise_factor: Positive = Decimal(10)
    parallel_series_days: Days = 14
    confirmation_days: Days = 28
    results_to_close: Days = 2


class Relapse(Section):
    """Blasts in marrow or blood, percent, from which it is relapse."""

    blast_percent: Positive = Decimal(5)


class Chimerism(Section):
    """Donor percent in whole marrow, clause stop.3; exactly the limit never stops."""

    stop_below_percent: Positive = Decimal(90)
    falling_points: Positive = Decimal(5)


class Laboratory(Section):
    """CTCAE v5 grade 4 of what the trial collects: counts in 10*9/L, the others in times the upper limit of normal.

    White cells are left out: they fall with the neutrophils, and one alert tells it.
    """

    grade_4_neutrophils_below: Positive = Decimal("0.5")
    grade_4_platelets_below: Positive = Decimal(25)
    grade_4_transaminase_above_uln: Positive = Decimal(20)
    grade_4_bilirubin_above_uln: Positive = Decimal(10)
    grade_4_creatinine_above_uln: Positive = Decimal(6)


class Azacitidine(Section):
    """Dose in mg/m2 a day; cycles of `days` consecutive local days every `cycle_days`."""

    dose_mg_m2: Positive = Decimal(32)
    tolerance_percent: Positive = Decimal(10)
    days: Days = 5
    cycle_days: Days = 28
    late_after_days: Days = 42
    cycles: Days = 12


class Dli(Section):
    """Donor lymphocytes: CD3+ cells per kg of recipient weight, upper bound of each level."""

    hours_after_azacitidine: Days = 48
    days_after_azacitidine: Days = 2
    interval_min_days: Days = 28
    interval_max_days: Days = 42
    planned_doses: Days = 3
    maximum_doses: Days = 4
    levels_cd3_per_kg: tuple[Positive, ...] = (
        Decimal(100_000),
        Decimal(500_000),
        Decimal(1_000_000),
        Decimal(5_000_000),
    )
    tolerance_percent: Positive = Decimal(10)
    steroid_free_hours: Days = 24
    conflict_days: Days = 2


class Monitoring(Section):
    """Days after which a missing examination is overdue."""

    chimerism_days: Days = 60
    mrd_days: Days = 60
    gvhd_days: Days = 14
    requested_marrow_days: Days = 14


class Susar(Section):
    """Calendar days to report a suspected unexpected serious adverse reaction (ICH E2A)."""

    fatal_or_life_threatening_days: Days = 7
    other_days: Days = 15
    reminder_days: Days = 2


class Eligibility(Section):
    """Limits shared by eligibility and readiness; all inclusive. GVHD of this much at enrolment excludes."""

    age_min_years: Days = 18
    age_max_years: Days = 70
    ecog_max: int = 2
    neutrophils_min: Positive = Decimal("1.0")
    platelets_min: Positive = Decimal(50)
    liver_max_uln: Positive = Decimal(3)
    creatinine_max_uln: Positive = Decimal("1.5")
    clearance_min_ml_min: Positive = Decimal(50)
    severe_infection_grade: Days = 3
    acute_gvhd_fails_from_grade: Annotated[int, Field(ge=1, le=4)] = 2
    chronic_gvhd_fails_from_severity: Literal["mild", "moderate", "severe"] = "moderate"


class Readiness(Section):
    """Days after which an item of the readiness list is stale."""

    stale_days: Days = 7
    marrow_stale_days: Days = 60
    gvhd_stale_days: Days = 14


class Protocol(Section):
    """One version of the protocol file. `hash` names its content, whatever its layout."""

    id: str
    version: str
    title: str
    site_timezone: str
    clauses: dict[str, str]
    start: Start = Start()
    acute_gvhd: AcuteGvhd = AcuteGvhd()
    chronic_gvhd: ChronicGvhd = ChronicGvhd()
    overlap: Overlap = Overlap()
    restart: Restart = Restart()
    mrd: Mrd = Mrd()
    relapse: Relapse = Relapse()
    chimerism: Chimerism = Chimerism()
    laboratory: Laboratory = Laboratory()
    azacitidine: Azacitidine = Azacitidine()
    dli: Dli = Dli()
    monitoring: Monitoring = Monitoring()
    susar: Susar = Susar()
    eligibility: Eligibility = Eligibility()
    readiness: Readiness = Readiness()

    @field_validator("site_timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"there is no time zone {name!r}") from error
        return name

    @cached_property
    def tz(self) -> ZoneInfo:
        """The site's zone, in which local days are counted."""
        return ZoneInfo(self.site_timezone)

    @cached_property
    def hash(self) -> str:
        """`sha256:` of the canonical JSON of all values; a file from before a field was added keeps its hash."""
        values = self.model_dump(mode="json")
        for section, names in LATER.items():
            defaults = type(getattr(self, section))().model_dump(mode="json")
            for name in names:
                if values[section][name] == defaults[name]:
                    del values[section][name]
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def reading(self, name: str) -> str:
        """The reading `name` ("acute_gvhd.stop_grade") as it stands, for an alert's stamp; "" for none."""
        if not name:
            return ""
        section, _, key = name.partition(".")
        return f"{name}: {getattr(getattr(self, section), key)}"

    @classmethod
    def load(cls, path: Path | None = None) -> Protocol:
        """Read a protocol file (YAML); without a path, the one of NCT06754540. Raises ProtocolInvalid."""
        file = path or files("monitor.protocol").joinpath("nct06754540.yaml")
        try:
            text = file.read_text(encoding="utf-8")
            return cls.model_validate(yaml.load(text, Loader=_DecimalLoader))  # noqa: S506 - a SafeLoader underneath
        except (OSError, yaml.YAMLError, ValueError, KeyError) as error:
            raise ProtocolInvalid(f"protocol file {path or file.name} cannot be used: {_wrong(error)}") from error


def _wrong(error: Exception) -> str:
    """What is wrong with a file, and where, in one line."""
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


class _DecimalLoader(yaml.SafeLoader):
    """A safe YAML loader that reads 0.5 as the decimal it is, and refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(None, None, f"a key stands twice among {keys}", node.start_mark)
        return super().construct_mapping(node, deep)


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


_DecimalLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
