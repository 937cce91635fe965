"""The alerts of a fold, and the findings they tell of, found by the facts of their episodes.

A new fact concerns the few alerts and findings that share facts with what it changed: only those are matched again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.core.alert import Alert
from monitor.core.finding import Finding
from monitor.core.growing import Growing
from monitor.core.history import RecordKey

Place = tuple[str, str, RecordKey]  # a rule, its item, and a fact of the episode
Group = tuple[list[Alert], list[Finding]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Immutable. An alert is never taken out; `findings` are those of the last assessment."""

    alerts: Growing[str, Alert] = field(default_factory=Growing)
    findings: Growing[Place, tuple[Finding, ...]] = field(default_factory=Growing)
    episodes: Growing[Place, tuple[str, ...]] = field(default_factory=Growing)
    shelved: Mapping[str, datetime] = field(default_factory=dict)  # until when
    answered: tuple[str, ...] = ()  # what people did something with since the findings were matched

    def with_alerts(self, alerts: Iterable[Alert]) -> Ledger:
        """The ledger with these alerts, new or as they are now."""
        changed = {alert.alert_id: alert for alert in alerts}
        if not changed:
            return self
        episodes: dict[Place, tuple[str, ...]] = {}
        shelved = {reference: until for reference, until in self.shelved.items() if reference not in changed}
        for reference, alert in changed.items():
            for place in places(alert):
                known = episodes.get(place) or self.episodes.get(place, ())
                if reference not in known:
                    episodes[place] = (*known, reference)
            if alert.status == "shelved" and alert.shelved_until is not None:
                shelved[reference] = alert.shelved_until
        return replace(
            self,
            alerts=self.alerts.with_entries(changed),
            episodes=self.episodes.with_entries(episodes) if episodes else self.episodes,
            shelved=shelved,
        )

    def with_findings(self, gone: Iterable[Finding], come: Iterable[Finding]) -> Ledger:
        """The ledger with some findings in the place of others."""
        changed: dict[Place, tuple[Finding, ...]] = {}
        for finding in gone:
            for place in places(finding):
                known = changed.get(place, self.findings.get(place, ()))
                changed[place] = tuple(other for other in known if other is not finding and other != finding)
        for finding in come:
            for place in places(finding):
                changed[place] = (*changed.get(place, self.findings.get(place, ())), finding)
        return replace(self, findings=self.findings.with_entries(changed)) if changed else self

    def answer(self, alert: Alert) -> Ledger:
        """The ledger after a person has done something with an alert."""
        return replace(self.with_alerts([alert]), answered=(*self.answered, alert.alert_id))

    def without_findings(self) -> Ledger:
        """The alerts alone: under another protocol file every finding is matched anew."""
        return replace(self, findings=Growing(), answered=tuple(self.alerts))

    def around(self, start: Iterable[Place]) -> Iterator[Group]:
        """The alerts and findings that share facts with these places, or with others that do: rule by rule and item."""
        asked: dict[tuple[str, str], set[RecordKey]] = {}
        for rule, item, key in start:
            asked.setdefault((rule, item), set()).add(key)
        for group, keys in sorted(asked.items()):
            yield self._hanging_together(group, keys)

    def _hanging_together(self, group: tuple[str, str], keys: set[RecordKey]) -> Group:
        alerts, findings = dict[str, Alert](), dict[int, Finding]()
        waiting, seen = set(keys), set[RecordKey]()
        while waiting:
            key = waiting.pop()
            seen.add(key)
            for reference in self.episodes.get((*group, key), ()):
                if reference not in alerts:
                    alerts[reference] = alert = self.alerts[reference]
                    waiting |= alert.keys - seen
            for finding in self.findings.get((*group, key), ()):
                if id(finding) not in findings:
                    findings[id(finding)] = finding
                    waiting |= finding.keys - seen
        return sorted(alerts.values(), key=lambda a: a.number), list(findings.values())

    def told_of(self, rule: str, keys: frozenset[RecordKey]) -> Iterator[Alert]:
        """The alerts of a rule that has no items, on any of these facts."""
        for reference in {r for key in keys for r in self.episodes.get((rule, "", key), ())}:
            if self.alerts[reference].keys & keys:
                yield self.alerts[reference]


def places(of: Alert | Finding) -> list[Place]:
    """Where an alert or a finding is found."""
    rule = of.rule if isinstance(of, Alert) else of.rule.id
    return [(rule, of.item, key) for key in of.keys]
