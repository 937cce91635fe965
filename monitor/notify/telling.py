"""Which changes of an alert people hear of, and which pass in silence: each with its reason, from a closed set."""

from enum import StrEnum

from monitor.core.alert import Alert, Change
from monitor.notify.when import from_text

_RANKS = {"low": 0, "medium": 1, "high": 2}
# A change of these matters even where it is not for the worse: treatment hangs on them.
_STOP_RULES = ("stop.", "treatment.dose-after-stop")
_SEVERITIES = ("none", "mild", "moderate", "severe")


class Telling(StrEnum):
    """Why a change is told, or not."""

    RAISED = "raised"
    ESCALATED = "escalated"
    WORSE = "worse"
    STOP_CHANGED = "stop_changed"
    WITHDRAWN = "withdrawn"
    RESOLVED = "resolved"
    SILENT_PERSON = "silent_person_acted"
    SILENT_NO_WORSE = "silent_no_worse"

    @property
    def silent(self) -> bool:
        """True if nobody is told."""
        return self in (Telling.SILENT_PERSON, Telling.SILENT_NO_WORSE)

    @property
    def follows_up(self) -> bool:
        """True if it goes to those alone who were told of the alert."""
        return self in (Telling.WITHDRAWN, Telling.RESOLVED)


_ALWAYS = {
    "raised": Telling.RAISED,
    "escalated": Telling.ESCALATED,
    "withdrawn": Telling.WITHDRAWN,
    "resolved": Telling.RESOLVED,
    "acknowledged": Telling.SILENT_PERSON,
    "shelved": Telling.SILENT_PERSON,
}


def telling(change: Change) -> Telling:
    """Decide whether people hear of a change. A kind that is not known is told: it may matter."""
    if change.kind != "revised":
        return _ALWAYS.get(change.kind, Telling.WORSE)
    if change.before is None or got_worse(change.before, change.alert):
        return Telling.WORSE
    if is_stop(change.alert) and stop_changed(change.before, change.alert):
        return Telling.STOP_CHANGED
    return Telling.SILENT_NO_WORSE


def is_stop(alert: Alert) -> bool:
    """True for the alerts on which treatment hangs."""
    return alert.rule.startswith(_STOP_RULES)


def got_worse(before: Alert, after: Alert) -> bool:
    """True if the alert is now more urgent, surer, higher in grade, or due sooner."""
    return (
        _RANKS.get(after.priority, 2) > _RANKS.get(before.priority, 2)
        or (before.provisional and not after.provisional)
        or _grade(after) > _grade(before)
        or _severity(after) > _severity(before)
        or (after.details.get("known") is True and before.details.get("known") is not True)
        or after.details.get("stage", "") != before.details.get("stage", "")
        or _due_sooner(before, after)
    )


def stop_changed(before: Alert, after: Alert) -> bool:
    """True if anything but the list of facts under a stop has changed."""
    return (before.effective_at, before.provisional, before.boundary, before.review, before.summary) != (
        after.effective_at,
        after.provisional,
        after.boundary,
        after.review,
        after.summary,
    )


def _grade(alert: Alert) -> int:
    grade = str(alert.details.get("grade", ""))
    roman = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5}
    return roman.get(grade, int(grade) if grade.isdecimal() else -1)


def _severity(alert: Alert) -> int:
    severity = alert.details.get("severity", "")
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else -1


def _due_sooner(before: Alert, after: Alert) -> bool:
    first, second = from_text(str(before.details.get("due_on", ""))), from_text(str(after.details.get("due_on", "")))
    return type(first) is type(second) and first is not None and second is not None and second < first
