"""MRD for review: low levels, breaks between series, changes of sensitivity, confirmations due (clause dosing.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from monitor.core.context import Context
from monitor.core.finding import Detail, Evidence, Finding, Found, Rule
from monitor.core.history import Fact
from monitor.core.rules.mrd_rising import each_series
from monitor.core.rules.mrd_series import (
    Reading,
    SeriesKey,
    SeriesOf,
    all_series,
    distinguished,
    label,
    read,
    series_key,
)
from monitor.core.rules.runs import evidence, evidence_runs, single
from monitor.core.series import Series
from monitor.core.stops import Hit
from monitor.core.times import is_day
from monitor.core.walking import chosen, walk
from monitor.events.mrd import MrdResulted
from monitor.events.patient import PatientEnrolled

LOW = Rule("mrd.low-level", "low", "dosing.3")
BREAK = Rule("mrd.series-break", "low", "dosing.3", review=True)
SENSITIVITY = Rule("mrd.sensitivity-changed", "low", "dosing.3", review=True)
CONFIRMATION = Rule("mrd.confirmation-due", "medium", "dosing.3", review=True, reminder=True)
READS = (MrdResulted, PatientEnrolled, "off_study_at")


def find(ctx: Context) -> Iterator[Found]:
    series = all_series(ctx)
    for key, readings in series.items():
        yield from _low(key, readings, ctx)
        yield from _broken(key, readings[0], series, ctx)
    yield from _more_sensitive(ctx)
    yield from _confirmations(ctx)


def _low(key: SeriesKey, readings: Series[Reading], ctx: Context) -> Iterator[Found]:
    def found(reading: Reading) -> Evidence | None:
        if not reading.low:
            return None
        cutoff = f"{reading.cutoff} {reading.fact.data.unit}"
        said = f"MRD detected below the positive cut-off ({cutoff}): {reading.shown} by {label(key)}"
        details = {"value": reading.figure, "reference": str(reading.cutoff), **_what(key)}
        return evidence(reading.fact, Hit(said, details=dict(details)))

    yield from evidence_runs(LOW, readings, found, ctx, item="/".join(key))


def _broken(key: SeriesKey, first: Reading, series: SeriesOf, ctx: Context) -> Iterator[Finding]:
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


@dataclass(frozen=True, slots=True)
class _Unseen:
    """What earlier methods did not see: of each series the latest undetected result for each limit."""

    found: Series[Finding] = field(default_factory=Series)
    told: frozenset[SeriesKey] = frozenset()
    undetected: dict[SeriesKey, dict[Decimal, Reading]] = field(default_factory=dict)


def _more_sensitive(ctx: Context) -> Iterator[Found]:
    """Undetected before, detected now below what could be seen then: perhaps no rise at all. Once a series."""
    results = chosen(ctx.memo, ("MRD", str(ctx.d0)), ctx.history.of(MrdResulted), ctx.since_transplant)
    yield walk(ctx.memo, (SENSITIVITY.id, str(ctx.d0)), results, _Unseen(), _compared).found


def _compared(known: _Unseen, fact: Fact[MrdResulted]) -> _Unseen:
    reading, key = read(fact), series_key(fact.data)
    if reading is None:
        return known
    before = [last for other, limits in known.undetected.items() if _comparable(key, other)
              for last in _not_seen(reading, limits)]  # fmt: skip
    undetected = {**known.undetected, key: known.undetected.get(key, {})}
    if reading.limit is not None:
        undetected[key] = {**undetected[key], reading.limit: reading}
    if not before or key in known.told:
        return replace(known, undetected=undetected)
    last = before[-1]
    said = f"MRD {reading.shown} would not have been seen by the earlier, less sensitive method: {last.shown}"
    hit = Hit(said, details={"value": reading.figure, "reference": str(last.limit), **_what(key)})
    finding = single(SENSITIVITY, fact, hit, item="/".join(key), also=(last.fact.key,))
    return _Unseen(known.found.with_item(finding), known.told | {key}, undetected)


def _comparable(key: SeriesKey, other: SeriesKey) -> bool:
    """Another series of the same assay, target, specimen and unit."""
    return other != key and (other[0], other[1], other[2], other[5]) == (key[0], key[1], key[2], key[5])


def _not_seen(reading: Reading, undetected: dict[Decimal, Reading]) -> list[Reading]:
    """The latest of those whose method could see neither this value nor as little as this one's."""
    lod, value = reading.fact.data.lod, reading.value
    if value is None or lod is None:
        return []
    unseen = [earlier for limit, earlier in undetected.items() if lod < limit and value < limit]
    return sorted(unseen, key=lambda earlier: earlier.fact.order)[-1:]


def _confirmations(ctx: Context) -> Iterator[Found]:
    """A rise or conversion by qPCR with no later evaluable result in its series after 28 times 24 hours."""
    for key, told in each_series(ctx).items():
        if key[0] != "qpcr":
            continue

        def step(late: Series[Finding], pair: tuple[Reading, Reading], key: SeriesKey = key) -> Series[Finding]:
            finding = _late(key, *pair, ctx)
            return late if finding is None else late.with_item(finding)

        start: Series[Finding] = Series()
        yield walk(ctx.memo, (ctx.protocol.hash, CONFIRMATION.id, *key), told.followed, start, step, ctx.off_study_at)
        if told.fired is not None and (finding := _late(key, told.fired, None, ctx)) is not None:
            yield finding


def _late(key: SeriesKey, reading: Reading, following: Reading | None, ctx: Context) -> Finding | None:
    """The reminder of a confirmation that did not come in time."""
    wait = timedelta(days=ctx.protocol.mrd.confirmation_days)
    due = reading.fact.at + wait
    left = ctx.off_study_at is not None and ctx.off_study_at < due
    if (following is not None and following.fact.at < due) or left or not ctx.reached(due):
        return None
    hit = Hit(
        f"No later MRD result {wait.days} days after {reading.shown} by {label(key)}: a confirmation is due",
        details={"value": reading.figure, "due_on": ctx.on(due).isoformat(), **_what(key)},
    )
    return Finding(
        CONFIRMATION,
        (evidence(reading.fact, hit),),
        item="/".join(key),
        outcome="came" if following is not None else "off_study" if ctx.off_study_at is not None else None,
        effective=ctx.on(due) if is_day(reading.fact.effective) else due,
    )
