"""MRD for review: low levels, breaks between series, changes of sensitivity, confirmations due (clause dosing.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from monitor.core.context import Context
from monitor.core.finding import Detail, Evidence, Finding, Rule
from monitor.core.rules.mrd_rising import POSITIVE, RISING
from monitor.core.rules.mrd_rising import find as rises
from monitor.core.rules.mrd_series import Reading, SeriesKey, all_series, distinguished, label, series_key
from monitor.core.rules.runs import LATER_RESULT, evidence, single
from monitor.core.stops import Hit
from monitor.core.times import is_day
from monitor.events.mrd import MrdResulted
from monitor.events.patient import PatientEnrolled

LOW = Rule("mrd.low-level", "low", "dosing.3")
BREAK = Rule("mrd.series-break", "low", "dosing.3", review=True)
SENSITIVITY = Rule("mrd.sensitivity-changed", "low", "dosing.3", review=True)
CONFIRMATION = Rule("mrd.confirmation-due", "medium", "dosing.3", review=True, reminder=True)
READS = (MrdResulted, PatientEnrolled, "off_study_at")


def find(ctx: Context) -> Iterator[Finding]:
    series = all_series(ctx)
    for key, readings in series.items():
        yield from _low(key, readings)
        yield from _broken(key, readings[0], series, ctx)
        yield from _more_sensitive(key, readings, series)
    yield from _confirmations(series, ctx)


def _low(key: SeriesKey, readings: list[Reading]) -> Iterator[Finding]:
    run: list[Evidence] = []
    for reading in readings:
        if reading.low:
            cutoff = f"{reading.cutoff} {reading.fact.data.unit}"
            said = f"MRD detected below the positive cut-off ({cutoff}): {reading.shown} by {label(key)}"
            details = {"value": reading.figure, "reference": str(reading.cutoff), **_what(key)}
            run.append(evidence(reading.fact, Hit(said, details=dict(details))))
        elif run:
            yield Finding(LOW, tuple(run), item="/".join(key), outcome=LATER_RESULT)
            run = []
    if run:
        yield Finding(LOW, tuple(run), item="/".join(key))


def _broken(key: SeriesKey, first: Reading, series: dict[SeriesKey, list[Reading]], ctx: Context) -> Iterator[Finding]:
    """A new series of a target that had another one: the two cannot be compared."""
    apart = ctx.protocol.mrd.parallel_series_days
    earlier = [
        readings[0]
        for other, readings in series.items()
        if _same_target(key, other)
        and _without_target(key) != _without_target(other)
        and (first.fact.on - readings[0].fact.on).days > apart
    ]
    if earlier:
        last = max(earlier, key=lambda r: r.fact.order)
        now, before = distinguished(key, series_key(last.fact.data))
        said = f"MRD is now measured by {now}, earlier by {before}: the values cannot be compared"
        yield single(
            BREAK, first.fact, Hit(said, details={"item": label(key)}), item="/".join(key), also=(last.fact.key,)
        )


def _what(key: SeriesKey) -> dict[str, Detail]:
    return {"unit": key[5], "item": label(key)}


def _same_target(key: SeriesKey, other: SeriesKey) -> bool:
    return not key[1] or not other[1] or key[1] == other[1]


def _without_target(key: SeriesKey) -> tuple[str, ...]:
    return (key[0], *key[2:])


def _more_sensitive(
    key: SeriesKey, readings: list[Reading], series: dict[SeriesKey, list[Reading]]
) -> Iterator[Finding]:
    """Undetected before, detected now below what could be seen then: perhaps no rise at all."""
    for reading in readings:
        limit = reading.fact.data.lod
        if reading.value is None or limit is None:
            continue
        unseen = [
            earlier
            for other, others in series.items()
            if other != key and (other[0], other[1], other[2], other[5]) == (key[0], key[1], key[2], key[5])
            for earlier in others
            if earlier.undetected
            and earlier.fact.order < reading.fact.order
            and earlier.limit is not None
            and limit < earlier.limit
            and reading.value < earlier.limit
        ]
        if unseen:
            last = unseen[-1]
            said = f"MRD {reading.shown} would not have been seen by the earlier, less sensitive method: {last.shown}"
            hit = Hit(said, details={"value": reading.figure, "reference": str(last.limit), **_what(key)})
            yield single(SENSITIVITY, reading.fact, hit, item="/".join(key), also=(last.fact.key,))
            return


def _confirmations(series: dict[SeriesKey, list[Reading]], ctx: Context) -> Iterator[Finding]:
    """A rise or conversion by qPCR with no later evaluable result in its series after 28 times 24 hours."""
    wait = timedelta(days=ctx.protocol.mrd.confirmation_days)
    fired = {f.first.key for f in rises(ctx) if f.rule in (RISING, POSITIVE)}
    for key, readings in series.items():
        if key[0] != "qpcr":
            continue
        for index, reading in enumerate(readings):
            due = reading.fact.at + wait
            later = readings[index + 1].fact.at if index + 1 < len(readings) else None
            left = ctx.off_study_at is not None and ctx.off_study_at < due
            if reading.fact.key not in fired or (later is not None and later < due) or left or not ctx.reached(due):
                continue
            hit = Hit(
                f"No later MRD result {wait.days} days after {reading.shown} by {label(key)}: a confirmation is due",
                details={"value": reading.figure, "due_on": ctx.on(due).isoformat(), **_what(key)},
            )
            yield Finding(
                CONFIRMATION,
                (evidence(reading.fact, hit),),
                item="/".join(key),
                outcome="came" if later is not None else "off_study" if ctx.off_study_at is not None else None,
                effective=ctx.on(due) if is_day(reading.fact.effective) else due,
            )
