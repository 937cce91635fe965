"""The figures of an alert, each on a line, as a person writes them: units once, Roman grades of GVHD, local times."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from monitor.core.alert import Alert
from monitor.core.checklist import listed
from monitor.core.finding import Detail
from monitor.notify.texts import texts
from monitor.notify.when import from_text, spoken, spoken_and_counted

_ROMAN = {"0": "0", "1": "I", "2": "II", "3": "III", "4": "IV"}
_NUMBER = re.compile(r"[<>]?-?\d+(\.\d+)?")
_POWER = re.compile(r"\b(\d+(?:\.\d+)?)[eE]\+?0*(\d+)\b")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?(?![\w-])")
_RULE = re.compile(r"\b[a-z]+\.[a-z0-9-]+\b")

_CELLS = "CD3+/kg"
_MANY = 10_000  # cells: below this a person reads the digits

# Units of UCUM as people write them.
_UNITS: Mapping[str, str] = {"10*9/L": "× 10⁹/L", "mg/m2": "mg/m²", "d": "days", "h": "hours"}

# What `details.value` is, where it is no measurement. An empty word: it is not worth a line.
_VALUE_IS: Mapping[str, str] = {
    "data.conflict": "",
    "data.unsigned-decision": "Decision",
    "data.unit-unknown": "Reason",
    "data.implausible": "Reason",
    "data.refused": "Reason",
    "treatment.dose-after-stop": "Given",
    "graft.function": "Reported",
}
# And what `details.reference` is, where nothing is held against it.
_REFERENCE_IS: Mapping[str, str] = {"dli.schedule-conflict": "Azacitidine"}

_NOT_READY = ("fail", "review", "stale", "missing")


def figures(alert: Alert, now: datetime, tz: ZoneInfo) -> list[str]:
    """The alert's values: only keys that are known, since others could hold anything."""
    details = alert.details
    unit = _word(details.get("unit"))
    unit = _UNITS.get(unit, unit)
    lines = []
    if (label := _VALUE_IS.get(alert.rule, "Value")) and (value := _word(details.get("value"))):
        # Where later results stand beside it in the summary, the figures are those of the first.
        label = f"First {label.lower()}" if ". Latest: " in alert.summary else label
        lines.append(f"{label}: {_measured(value, unit, tz)}")
    if reference := _word(details.get("reference")):
        label = _REFERENCE_IS.get(alert.rule, "Held against")
        lines.append(f"{label}: {_measured(reference, unit, tz)}")
    if change := _word(details.get("log10_change")):
        lines.append(f"Change: {_changed(change, details)} log10")
    if grade := _word(details.get("grade")):
        lines.append(f"Grade: {_graded(grade, alert)}")
    if severity := _word(details.get("severity")):
        lines.append(f"Severity: {severity}")
    if reported := _word(details.get("reported")):
        lines.append(f"The site reported: {_graded(reported, alert)}")
    if due := from_text(_word(details.get("due_on"))):
        lines.append(f"Due: {spoken_and_counted(due, now, tz)}")
    if isinstance(listed := details.get("readiness"), dict):
        lines.append(f"Readiness list: {_outstanding(listed)}")
    return lines


def _outstanding(verdicts: Mapping[str, str]) -> str:
    """What on a readiness list does not pass, the worst first."""
    by_verdict = ((v, [name for name in verdicts if verdicts[name] == v]) for v in _NOT_READY)
    return "; ".join(f"{verdict}: {listed(names)}" for verdict, names in by_verdict if names) or "all pass"


def _changed(change: str, details: Mapping[str, Detail]) -> str:
    """Two decimals of a logarithm can hide that one was passed, and "more than 10-fold" stands beside them."""
    value, reference = _word(details.get("value")), _word(details.get("reference"))
    if change != "1.00" or not (_NUMBER.fullmatch(value) and _NUMBER.fullmatch(reference)):
        return change
    return "just over 1" if Decimal(value.lstrip("<>")) > 10 * Decimal(reference.lstrip("<>")) else change


def plain(text: str, tz: ZoneInfo) -> str:
    """A sentence of the core with times of the site, powers of ten as people write them, and rules by their titles."""
    text = _MOMENT.sub(lambda found: _spoken(found.group(), tz), text)
    text = _POWER.sub(r"\1×10^\2", text)
    return _RULE.sub(lambda found: titled(found.group()), text)


def titled(rule: str) -> str:
    """A rule by the title of its notice, in quotation marks; any other word as it stands."""
    known = texts().get(rule)
    return f'"{known.title}"' if known else rule


def _spoken(text: str, tz: ZoneInfo) -> str:
    moment = from_text(text)
    return spoken(moment, tz) if moment else text


def _measured(value: str, unit: str, tz: ZoneInfo) -> str:
    shown = plain(value, tz).replace("_", " ")
    bare = _NUMBER.fullmatch(value) or _POWER.fullmatch(value)
    if unit == _CELLS and _NUMBER.fullmatch(value):
        shown = _in_powers(value)
    return f"{shown} {unit}" if unit and bare else shown


def _in_powers(value: str) -> str:
    """A count of cells as protocols write it: `5×10^6`, not 5000000."""
    number = Decimal(value.lstrip("<>"))
    mantissa = f"{number.scaleb(-number.adjusted()).normalize():f}"
    return f"{mantissa}×10^{number.adjusted()}" if number >= _MANY else value


def _graded(grade: str, alert: Alert) -> str:
    # GVHD is graded in Roman figures, adverse events in Arabic ones.
    return _ROMAN.get(grade, grade) if "gvhd" in f"{alert.rule} {alert.details.get('item')}" else grade


def _word(value: Detail) -> str:
    """A detail as text; empty for what is absent, a flag, or a list."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
