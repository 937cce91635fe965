"""Parts of a notice: the caveats, what changed, and why it ended, each as a plain sentence."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from monitor.core.alert import Alert, Change
from monitor.notify.figures import plain, titled
from monitor.notify.telling import is_stop
from monitor.notify.when import spoken

# Why an alert ended: `details.outcome`, in words.
_OUTCOMES: Mapping[str, str] = {
    "decision": "A signed decision has settled it.",
    "lifted": "A signed decision has lifted the stop.",
    "person": "A person closed it.",
    "later_result": "A later result shows otherwise.",
    "not_confirmed": "A later result did not confirm it.",
    "cleared": "Later results in a row were clear.",
    "over": "It is so no more.",
    "came": "What it waited for has come.",
    "state_ended": "It is not needed any more: the state of treatment has changed.",
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
# What is withdrawn because somebody mended it.
_MENDED: Mapping[str, str] = {
    "data.": "This alert is withdrawn: the record came again, and holds. What follows from it is told separately.",
    "ops.assessment-failed": "This alert is withdrawn: the patient is assessed again. What follows is told separately.",
}
_LOOK_AGAIN = "If something was begun because of it, consider looking at that again."
_NOTHING_RESUMES = "Nothing resumes by itself."
_IF_HELD = (
    "If treatment is stopped or held because of this alert, it goes on only when a physician has decided so and "
    "signed the decision."
)
_NOT_LIFTED = "Closing the alert does not lift the stop: the protocol waits for a decision that a physician has signed."
_PEOPLE_DECIDE = "The monitor records the decision; what is given, and when, people decide."


def caveats(alert: Alert) -> list[str]:
    """What a reader should know before relying on the alert."""
    said = []
    if alert.provisional:
        said.append("Provisional: it rests on something preliminary, possible or inferred, and may be withdrawn.")
    if alert.boundary:
        said.append("On the boundary: the record's wording is unclear just here; another reading judges otherwise.")
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
        said.append(f"Before, it said: {plain(before.summary, tz)}")
    return said or ["The facts it rests on have changed."]


def ending(change: Change) -> list[str]:
    """Why a withdrawn or resolved alert is over, and what that means for what people do."""
    if change.kind == "withdrawn":
        return _withdrawn(change.before or change.alert)
    outcome = str(change.alert.details.get("outcome") or "")
    said = [f"This alert has ended. {_reason(change.alert, outcome)}", *_held_back(change.alert)]
    return [*said, *_meaning_of_end(change.alert, outcome)]


def ended_before(alert: Alert) -> list[str]:
    """For a change of an alert that is over: that it stays so, and why it ended."""
    outcome = str(alert.details.get("outcome") or "")
    return [" ".join(["This alert ended before, and stays ended."] + [_reason(alert, outcome)] * bool(outcome))]


def _reason(alert: Alert, outcome: str) -> str:
    if outcome == "decision" and alert.rule.startswith("stop.") and alert.rule != "stop.basis-retracted":
        outcome = "lifted"
    other = f"{outcome.replace('_', ' ').capitalize()}." if outcome else "It no longer holds."
    return _OUTCOMES.get(outcome, other)


def _held_back(alert: Alert) -> list[str]:
    """What inhibits a reminder: stops by their titles, else the state in a word."""
    by = alert.details.get("inhibited_by")
    if not isinstance(by, list) or not by:
        return []
    return [f"It is held back by: {', '.join(titled(each).replace('_', ' ') for each in by)}."]


def _withdrawn(alert: Alert) -> list[str]:
    if is_stop(alert):
        return [_NEVER_SO, f"{_NOTHING_RESUMES} {_IF_HELD}"]
    for family, said in _MENDED.items():
        if alert.rule.startswith(family):
            return [said]
    return [_NEVER_SO, _LOOK_AGAIN]


def _meaning_of_end(alert: Alert, outcome: str) -> list[str]:
    if not is_stop(alert):
        return []
    return [f"{_NOTHING_RESUMES} {_NOT_LIFTED if outcome == 'person' else _PEOPLE_DECIDE}"]
