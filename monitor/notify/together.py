"""Reminders of one visit: those of a patient that are late from the same day on reach people as one notice. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from monitor.core.alert import Change

# What asks for a visit, each for a part of it. Other rules with a day of their own are told alone: a window, a report.
REMINDERS = frozenset({"azacitidine.cycle-late", "dli.interval-long", "monitoring.overdue"})


def together(changes: Sequence[Change]) -> list[tuple[Change, ...]]:
    """The changes in their order, reminders of one patient, priority and day in one bundle.

    One that changes again among these is told alone: its end must find whom it was told to.
    """
    times = Counter(change.alert.alert_id for change in changes)
    bundles: dict[object, list[Change]] = {}
    for position, change in enumerate(changes):
        alert = change.alert
        asks = change.kind == "raised" and alert.rule in REMINDERS and times[alert.alert_id] == 1
        key: object = (alert.patient, alert.priority, alert.effective_at) if asks else position
        bundles.setdefault(key, []).append(change)
    return [tuple(bundle) for bundle in bundles.values()]


def distinct(sentences: Iterable[str]) -> list[str]:
    """Each sentence once, in order."""
    return list(dict.fromkeys(sentences))
