"""The alerts of a fold, and the findings they tell of, by the episodes they belong to.

An episode is all of one rule and item that share facts, or did. A new fact concerns the few episodes of what it
changed: only those are matched again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from monitor.core.alert import Alert
from monitor.core.finding import Finding
from monitor.core.growing import Growing
from monitor.core.history import RecordKey

About = tuple[str, str]  # a rule and its item
Place = tuple[str, str, RecordKey]  # these, and a fact
Told = tuple[str, RecordKey]  # a stop rule, and a fact
Group = tuple[list[Alert], list[Finding]]


@dataclass(frozen=True, slots=True)
class Episode:
    """Alerts (by reference) and findings of one rule and item, and all facts that they ever rested on."""

    facts: frozenset[RecordKey] = frozenset()
    alerts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """Immutable. An alert is never taken out; the findings are those of the last assessment."""

    alerts: Growing[str, Alert] = field(default_factory=Growing)
    episodes: Growing[int, Episode] = field(default_factory=Growing)
    places: Growing[Place, int] = field(default_factory=Growing)  # in which episode a fact lies
    shelved: Mapping[str, datetime] = field(default_factory=dict)  # until when
    answered: tuple[str, ...] = ()  # what people did something with since the findings were matched
    told: Growing[Told, datetime] = field(default_factory=Growing)  # when people were first told, whatever became of it

    def with_alerts(self, alerts: Iterable[Alert]) -> Ledger:
        """The ledger with these alerts, new or as they are now."""
        changed = {alert.alert_id: alert for alert in alerts}
        if not changed:
            return self
        after = replace(self, told=self._told_by(changed.values()))
        shelved = {reference: until for reference, until in self.shelved.items() if reference not in changed}
        for reference, alert in changed.items():
            after, number = after._with_episode(alert)
            if reference not in (episode := after.episodes[number]).alerts:
                after = after._put(number, replace(episode, alerts=(*episode.alerts, reference)))
            if alert.status == "shelved" and alert.shelved_until is not None:
                shelved[reference] = alert.shelved_until
        return replace(after, alerts=after.alerts.with_entries(changed), shelved=shelved)

    def with_findings(self, gone: Iterable[Finding], come: Iterable[Finding]) -> Ledger:
        """The ledger with some findings in the place of others."""
        after = self
        for finding in gone:
            after, number = after._with_episode(finding)
            episode = after.episodes[number]
            left = tuple(other for other in episode.findings if other is not finding and other != finding)
            after = after._put(number, replace(episode, findings=left))
        for finding in come:
            after, number = after._with_episode(finding)
            episode = after.episodes[number]
            after = after._put(number, replace(episode, findings=(*episode.findings, finding)))
        return after

    def answer(self, alert: Alert) -> Ledger:
        """The ledger after a person has done something with an alert."""
        return replace(self.with_alerts([alert]), answered=(*self.answered, alert.alert_id))

    def without_findings(self) -> Ledger:
        """The alerts alone: under another protocol file every finding is matched anew."""
        alone = {number: replace(episode, findings=()) for number, episode in self.episodes.items()}
        return replace(self, episodes=Growing(alone), answered=tuple(self.alerts))

    def around(self, touched: Iterable[Alert | Finding]) -> Iterator[Group]:
        """The alerts and findings of the episodes that these belong to: rule by rule and item."""
        asked: dict[About, set[int]] = {}
        for of in touched:
            asked.setdefault(_about(of), set()).update(self._lying_in(_about(of), of.keys))
        for _, numbers in sorted(asked.items()):
            episodes = [self.episodes[number] for number in sorted(numbers)]
            # An alert lies in several where it has gone over from a fact to another that shares none with it.
            references = dict.fromkeys(reference for episode in episodes for reference in episode.alerts)
            alerts = map(self.alerts.__getitem__, references)
            findings = [finding for episode in episodes for finding in episode.findings]
            yield sorted(alerts, key=lambda alert: alert.number), findings

    def _told_by(self, alerts: Iterable[Alert]) -> Growing[Told, datetime]:
        earlier: dict[Told, datetime] = {}
        for alert in (alert for alert in alerts if alert.rule.startswith("stop.")):
            was = self.alerts.get(alert.alert_id)
            told_already = was.keys if was is not None and was.raised_at <= alert.raised_at else frozenset()
            for told in ((alert.rule, key) for key in alert.keys - told_already):
                known = earlier.get(told) or self.told.get(told)
                if known is None or alert.raised_at < known:
                    earlier[told] = alert.raised_at
        return self.told.with_entries(earlier) if earlier else self.told

    def _lying_in(self, about: About, keys: frozenset[RecordKey]) -> list[int]:
        """The episodes in which these facts lie."""
        found, left = list[int](), set(keys)
        while left:
            number = self.places.get((*about, left.pop()))
            if number is not None:
                found.append(number)
                left -= self.episodes[number].facts
        return found

    def _with_episode(self, of: Alert | Finding) -> tuple[Ledger, int]:
        """The ledger with one episode of all the facts of an alert or a finding: of several it makes one."""
        about, numbers = _about(of), self._lying_in(_about(of), of.keys)
        if len(numbers) == 1 and of.keys <= self.episodes[numbers[0]].facts:
            return self, numbers[0]
        number = min(numbers, default=len(self.episodes))
        parts = [self.episodes[each] for each in sorted(numbers)]
        here = parts[0].facts if parts else frozenset()
        together = Episode(
            here.union(of.keys, *(part.facts for part in parts)),
            tuple(reference for part in parts for reference in part.alerts),
            tuple(finding for part in parts for finding in part.findings),
        )
        emptied = {each: Episode() for each in numbers}
        places: dict[Place, int] = {(*about, key): number for key in together.facts - here}
        after = replace(
            self,
            episodes=self.episodes.with_entries({**emptied, number: together}),
            places=self.places.with_entries(places),
        )
        return after, number

    def _put(self, number: int, episode: Episode) -> Ledger:
        return replace(self, episodes=self.episodes.with_entry(number, episode))


def _about(of: Alert | Finding) -> About:
    return (of.rule, of.item) if isinstance(of, Alert) else (of.rule.id, of.item)
