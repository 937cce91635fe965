"""Findings against alerts: what is new, what changed, what has ended, and what never was.

An alert follows its finding by the facts that make the episode, so it keeps its identity through corrections. What a
person has resolved covers what was known then; a fact effective or issued later is an alert of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.core.alert import Alert, Change, ChangeKind, alert_id
from monitor.core.finding import Detail, Evidence, Finding
from monitor.core.ledger import Ledger
from monitor.core.times import Effective
from monitor.events.plausible import FUTURE_ALLOWANCE
from monitor.protocol.model import Protocol

Alerts = Mapping[str, Alert]
_RANK = {"low": 0, "medium": 1, "high": 2}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an alert is stamped with: whose it is, what made it, and the time it is raised at."""

    patient: str
    protocol: Protocol
    now: datetime
    raised_at: Callable[[str], datetime | None]  # when an alert that is found again was really raised


def reconcile(ledger: Ledger, gone: Sequence[Finding], come: Sequence[Finding], stamp: Stamp) -> Ledger:
    """The alerts after an assessment in which some findings came in the place of others. Pure.

    What shares no fact with those, nor with an alert that was first raised on just theirs or that a person has answered
    since, stays as it is.
    """
    founded = (ledger.alerts.get(_reference(finding, stamp.patient)) for finding in come)
    answered = (ledger.alerts[reference] for reference in ledger.answered)
    touched: list[Alert | Finding] = [*gone, *come, *(alert for alert in founded if alert is not None), *answered]
    after = replace(ledger.with_findings(gone, come), answered=())
    for held, findings in after.around(touched):
        after = after.with_alerts(_matched(held, findings, after, stamp))
    return after


def _matched(held: list[Alert], findings: list[Finding], ledger: Ledger, stamp: Stamp) -> Iterator[Alert]:
    """Give each finding its alert; what is left over was never so."""
    free = list(held)  # in the order in which the fold raised them
    parts: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.first.at, sorted(f.keys))) if len(findings) > 1 else findings:
        for part, closed in list(_uncovered(finding, free)):
            if closed is None:
                parts.append(part)
            else:
                free.remove(closed)
                yield _covered(closed, part)
    for fits in (_founded_on, _still_so, _moved_on, _so_again, _back, _in_its_place):
        for part in list(parts):
            alert = next((a for a in free if a.closed_at is None and fits(a, part)), None)
            if alert is not None:
                free.remove(alert)
                parts.remove(part)
                yield _follow(alert, part, stamp)
    number = len(ledger.alerts)
    for part in parts:
        if part.outcome is not None and part.rule.reminder:
            continue
        new = _raise(part, stamp)
        again = next((a for a in free if a.alert_id == new.alert_id), None) or _withdrawn(ledger, new.alert_id)
        if again is None:
            yield replace(new, number=number)
            number += 1
        else:
            free = [alert for alert in free if alert is not again]
            yield replace(new, revision=again.revision + 1, number=again.number)
    for alert in free:
        if alert.status != "withdrawn":
            yield replace(alert, status="withdrawn", revision=alert.revision + 1)


def _withdrawn(ledger: Ledger, reference: str) -> Alert | None:
    alert = ledger.alerts.get(reference)
    return alert if alert is not None and alert.status == "withdrawn" else None


def _founded_on(alert: Alert, finding: Finding) -> bool:
    """Was it first raised on just these facts? Where an episode falls apart, that part keeps the alert."""
    return alert.status != "withdrawn" and alert.alert_id == _reference(finding, alert.patient)


def _still_so(alert: Alert, finding: Finding) -> bool:
    return _moved_on(alert, finding) and alert.effective_at == _effective(finding)


def _moved_on(alert: Alert, finding: Finding) -> bool:
    return alert.status != "withdrawn" and _back(alert, finding)


def _so_again(alert: Alert, finding: Finding) -> bool:
    return alert.effective_at == _effective(finding) and _back(alert, finding)


def _back(alert: Alert, finding: Finding) -> bool:
    return not alert.keys.isdisjoint(finding.keys)


def _in_its_place(alert: Alert, finding: Finding) -> bool:
    """The same stop of the same time, by another fact: the latest before the first dose, of which a later one came."""
    is_stop, same = alert.rule.startswith("stop."), alert.effective_at == _effective(finding)
    return is_stop and same and alert.status != "withdrawn"


def _uncovered(finding: Finding, free: list[Alert]) -> Iterator[tuple[Finding, Alert | None]]:
    """Split a finding at the alerts a person has closed: each covers what was known when it was closed."""
    left = list(finding.evidence)
    for closed in sorted(
        (a for a in free if a.closed_at is not None and a.status != "withdrawn"), key=lambda a: str(a.closed_at)
    ):
        if not closed.keys & {e.key for e in left}:
            continue
        covered = [e for e in left if _known_at(e, closed)]
        if covered:
            yield replace(finding, evidence=tuple(covered)), closed
            left = [e for e in left if e not in covered]
    if left:
        yield replace(finding, evidence=tuple(left)), None


def _known_at(evidence: Evidence, closed: Alert) -> bool:
    """Was it so, as it stands now, when the alert was closed? A fact that was moved past that was not."""
    at = closed.closed_at
    if at is None or evidence.at > at + FUTURE_ALLOWANCE:  # no fact that was known then was further ahead
        return False
    return evidence.key in closed.keys or (evidence.at <= at and evidence.issued <= at)


def _covered(closed: Alert, part: Finding) -> Alert:
    return replace(closed, keys=closed.keys | part.keys)


def _raise(finding: Finding, stamp: Stamp) -> Alert:
    """A new alert; one whose finding has ended already is raised and resolved at once."""
    file, reference = finding.protocol or stamp.protocol, _reference(finding, stamp.patient)
    return Alert(
        alert_id=reference,
        patient=stamp.patient,
        rule=finding.rule.id,
        item=finding.item,
        status="firing" if finding.outcome is None else "resolved",
        priority=finding.priority or finding.rule.priority,
        review=_review(finding),
        provisional=all(e.provisional for e in finding.evidence),
        boundary=all(e.boundary for e in finding.evidence),
        effective_at=_effective(finding),
        raised_at=stamp.raised_at(reference) or stamp.now,
        basis=finding.basis,
        clause=finding.rule.clause,
        reading=file.reading(finding.rule.reading),
        summary=finding.summary or finding.first.summary,
        details=_details(finding),
        protocol_hash=file.hash,
        keys=finding.keys,
    )


def _follow(alert: Alert, finding: Finding, stamp: Stamp) -> Alert:
    """An alert as its finding stands now; what got worse, or came back, is firing again."""
    raised = _raise(finding, stamp)
    fresh = replace(
        raised,
        alert_id=alert.alert_id,
        raised_at=alert.raised_at,
        protocol_hash=alert.protocol_hash,
        revision=alert.revision,
        number=alert.number,
    )
    if finding.outcome is None and alert.live and not _worse(alert, fresh):
        fresh = replace(fresh, status=alert.status, shelved_until=alert.shelved_until)
    if _same(fresh, alert):
        return alert if alert.keys == fresh.keys else replace(alert, keys=fresh.keys)
    return replace(fresh, protocol_hash=raised.protocol_hash, revision=alert.revision + 1)


def _same(fresh: Alert, alert: Alert) -> bool:
    return replace(fresh, keys=alert.keys) == alert


def _worse(before: Alert, after: Alert) -> bool:
    more_certain = (before.provisional and not after.provisional) or (before.boundary and not after.boundary)
    return more_certain or _RANK[after.priority] > _RANK[before.priority]


def _reference(finding: Finding, patient: str) -> str:
    """What an alert would be known by that is first raised on just these facts."""
    return alert_id(patient, finding, _effective(finding), finding.basis)


def _effective(finding: Finding) -> Effective:
    return finding.effective if finding.effective is not None else finding.first.effective


def _review(finding: Finding) -> bool:
    return finding.rule.review or all(e.review for e in finding.evidence)


def _details(finding: Finding) -> dict[str, Detail]:
    """The first fact's details, the finding's own, and why it ended."""
    details = {**finding.first.details, **finding.details}
    if finding.outcome is not None:
        details["outcome"] = finding.outcome
    return details


def changes(before: Alerts, after: Alerts, touched: Iterable[str], now: datetime) -> tuple[Change, ...]:
    """What happened between two sets of alerts to those that were touched, in a stable order."""
    found: list[Change] = []
    for reference in sorted(touched, key=lambda r: (after[r].rule, r)):
        was, alert = before.get(reference), after[reference]
        if was == alert:
            continue
        if was is None or (not was.live and alert.live):
            raised = alert if alert.live else replace(alert, status="firing")
            found.append(Change("raised", raised, was, now))
            if not alert.live:
                found.append(Change("withdrawn" if alert.status == "withdrawn" else "resolved", alert, raised, now))
        elif was.status != alert.status and was.live:
            found.append(Change(_moved(alert), alert, was, now))
        elif replace(was, keys=alert.keys) != alert:
            found.append(
                Change("withdrawn" if alert.status == "withdrawn" != was.status else "revised", alert, was, now)
            )
    return tuple(found)


def _moved(alert: Alert) -> ChangeKind:
    if alert.status == "firing":
        return "escalated"
    return alert.status
