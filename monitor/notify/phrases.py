"""Parts of a notice: the figures, the caveats, what changed and why it ended, each as a plain sentence."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.core.alert import Alert, Change
from monitor.core.finding import Detail
from monitor.notify.telling import is_stop
from monitor.notify.when import from_text, spoken, spoken_and_counted

_ROMAN = {"0": "0", "1": "I", "2": "II", "3": "III", "4": "IV", "5": "V"}

# Why an alert ended: `details.outcome`, in words.
_OUTCOMES: Mapping[str, str] = {
    "decision": "A signed decision has settled it.",
    "person": "A person closed it.",
    "later_result": "A later result shows otherwise.",
    "not_confirmed": "A later result did not confirm it.",
    "cleared": "Later results in a row were clear.",
    "came": "What it waited for has come.",
    "state_ended": "The treatment state that it needs has ended.",
    "treatment_started": "Treatment has started, and other rules apply from then on.",
    "off_study": "The patient has left the study.",
    "used": "Treatment was started again.",
    "expired": "Its time has run out.",
    "invalidated": "It was made void by what happened since.",
}

_NEVER_SO = (
    "This alert is withdrawn: what is known now does not support that it ever was so. "
    "A record it rested on was corrected or retracted, or came out otherwise."
)
_LOOK_AGAIN = "If something was begun because of it, consider looking at that again."
_NOTHING_RESUMES = "Nothing resumes by itself."
_IF_HELD = (
    "If treatment is stopped or held because of this alert, it goes on only when a physician has decided so and "
    "signed the decision."
)
_NOT_LIFTED = "Closing the alert does not lift the stop: the protocol waits for a decision that a physician has signed."
_PEOPLE_DECIDE = "The monitor records the decision; what is given, and when, people decide."


def figures(alert: Alert, now: datetime, tz: ZoneInfo) -> list[str]:
    """The alert's values, each on a line: only keys that are known, since others could hold anything."""
    details = alert.details
    unit = _word(details.get("unit"))
    lines = []
    if value := _word(details.get("value")):
        lines.append(f"Value: {_dated(value, tz)}{_unit(unit)}")
    if reference := _word(details.get("reference")):
        lines.append(f"Held against: {_dated(reference, tz)}{_unit('' if from_text(reference) else unit)}")
    if change := _word(details.get("log10_change")):
        lines.append(f"Change: {change} log10")
    lines += _grading(alert)
    if due := from_text(_word(details.get("due_on"))):
        lines.append(f"Due: {spoken_and_counted(due, now, tz)}")
    return lines


def caveats(alert: Alert) -> list[str]:
    """What a reader should know before relying on the alert."""
    said = []
    if alert.provisional:
        said.append("Provisional: it rests on something preliminary, possible or inferred, and may be withdrawn.")
    if alert.boundary:
        said.append("On the boundary: the record's wording is unclear just here, and the cautious reading is used.")
    if alert.details.get("lower_bound") is True:
        said.append("Not every organ was assessed: the truth may be worse.")
    if alert.details.get("known") is True:
        said.append("The stop was already known to the monitor when the dose was given.")
    if alert.details.get("known") is False:
        said.append("The stop was not yet known to the monitor when the dose was given.")
    if alert.details.get("stage") == "breach":
        said.append("The due day has passed.")
    if alert.review:
        said.append("For review: a person should check it before relying on it.")
    return said


def differences(change: Change, tz: ZoneInfo) -> list[str]:
    """What is other than it was, for a revision or an escalation; the most urgent first."""
    before, after = change.before, change.alert
    if before is None:
        return []
    said = []
    if before.priority != after.priority:
        said.append(f"Its priority is now {after.priority} (it was {before.priority}).")
    if before.status != "firing" and after.status == "firing":
        said.append(f"It is open again (it was {before.status}).")
    if before.provisional != after.provisional:
        said.append("It is provisional now." if after.provisional else "It is confirmed: no longer provisional.")
    if before.boundary != after.boundary:
        said.append("It is on the boundary now." if after.boundary else "It is no longer on the boundary alone.")
    if before.effective_at != after.effective_at:
        said.append(f"It was so from {spoken(after.effective_at, tz)}, not from {spoken(before.effective_at, tz)}.")
    if before.summary != after.summary:
        said.append(f"Before, it said: {before.summary}")
    return said or ["The facts it rests on have changed."]


def ending(change: Change) -> list[str]:
    """Why a withdrawn or resolved alert is over, and what that means for what people do."""
    if change.kind == "withdrawn":
        return _withdrawn(change.before or change.alert)
    outcome = _word(change.alert.details.get("outcome"))
    reason = _OUTCOMES.get(
        outcome, "It no longer holds." if not outcome else f"{outcome.replace('_', ' ').capitalize()}."
    )
    return [f"This alert has ended. {reason}", *_meaning_of_end(change.alert, outcome)]


def _withdrawn(alert: Alert) -> list[str]:
    return [_NEVER_SO, f"{_NOTHING_RESUMES} {_IF_HELD}" if is_stop(alert) else _LOOK_AGAIN]


def _meaning_of_end(alert: Alert, outcome: str) -> list[str]:
    if not is_stop(alert):
        return []
    return [f"{_NOTHING_RESUMES} {_NOT_LIFTED if outcome == 'person' else _PEOPLE_DECIDE}"]


def _grading(alert: Alert) -> list[str]:
    details, lines = alert.details, []
    if grade := _word(details.get("grade")):
        lines.append(f"Grade: {_graded(grade, alert)}")
    if severity := _word(details.get("severity")):
        lines.append(f"Severity: {severity}")
    if reported := _word(details.get("reported")):
        lines.append(f"The site reported: {_graded(reported, alert)}")
    return lines


def _graded(grade: str, alert: Alert) -> str:
    # GVHD is graded in Roman figures, adverse events in Arabic ones.
    return _ROMAN.get(grade, grade) if "gvhd" in alert.rule else grade


def _word(value: Detail) -> str:
    """A detail as text; empty for what is absent, a flag, or a list."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _dated(text: str, tz: ZoneInfo) -> str:
    day = from_text(text) if "-" in text[4:5] else None
    return spoken(day, tz) if day else text
