"""What another protocol file would change: alerts that come, go or change, patient by patient. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from monitor.audit.decisions import recorded
from monitor.audit.records import Record

COMPARED: Final = ("status", "priority", "review", "provisional", "boundary", "effective_at", "summary", "details")
STATES: Final = ("protocol_state", "treatment_state", "restart_window")
Shown = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One patient under another file, against what was recorded. `change` and `states` hold old and new values."""

    come: tuple[Shown, ...] = ()
    go: tuple[Shown, ...] = ()
    change: tuple[tuple[Shown, Mapping[str, tuple[Any, Any]]], ...] = ()
    states: Mapping[str, tuple[Any, Any]] | None = None

    def __bool__(self) -> bool:
        return bool(self.come or self.go or self.change or self.states)

    def to_json(self) -> dict[str, object]:
        """Each side as `simulate` shows alerts."""
        return {
            "come": list(self.come),
            "go": list(self.go),
            "change": [{"alert": alert, "changes": _old_and_new(changes)} for alert, changes in self.change],
            "states": _old_and_new(self.states or {}),
        }


def alerts_recorded(decided: Sequence[Record]) -> list[Shown]:
    """The alerts of an `alert/<id>` stream, each as it stood last."""
    return list({change.alert_id: change.content for change in recorded(decided)}.values())


def compare(was: Sequence[Shown], would_be: Sequence[Shown], before: Shown | None, after: Shown) -> Compared:
    """Hold the alerts under another file against the recorded ones. What was withdrawn counts as not there.

    `before` and `after` are snapshots of the patient; without a `before` the states are not compared.
    """
    left = [alert for alert in was if alert["status"] != "withdrawn"]
    come, change = [], []
    for alert in (each for each in would_be if each["status"] != "withdrawn"):
        twin = next(_twins(alert, left), None)
        if twin is None:
            come.append(alert)
            continue
        left.remove(twin)
        if differing := {name: (twin[name], alert[name]) for name in COMPARED if twin[name] != alert[name]}:
            change.append((alert, differing))
    states = {name: (before[name], after[name]) for name in STATES if before and before[name] != after[name]}
    return Compared(tuple(come), tuple(left), tuple(change), states)


def _twins(alert: Shown, among: Sequence[Shown]) -> Iterator[Shown]:
    """The same alert by its reference, else one of the same rule and item that rests on a common record."""
    yield from (each for each in among if each["alert_id"] == alert["alert_id"])
    alike = (each for each in among if (each["rule"], each["item"]) == (alert["rule"], alert["item"]))
    yield from (each for each in alike if set(each["basis"]) & set(alert["basis"]))


def _old_and_new(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {"old": old, "new": new} for name, (old, new) in changes.items()}
