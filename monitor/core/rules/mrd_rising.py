"""MRD rises and conversions, told once an episode and again for each further tenfold (clause dosing.3).

"MRD increase (> 1 log)" is read as strictly more than ten times the nadir since transplant within one series
(`mrd.reference`). MRD permits adding drugs; it never stops treatment and never moves the DLI schedule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Context as Arithmetic
from decimal import Decimal
from itertools import pairwise

from monitor.core.context import Context
from monitor.core.exact import times
from monitor.core.finding import Detail, Finding, Rule
from monitor.core.rules.mrd_series import Reading, SeriesKey, all_series, label
from monitor.core.rules.runs import single
from monitor.core.stops import Hit
from monitor.events.mrd import MrdResulted
from monitor.events.patient import PatientEnrolled

RISING = Rule("mrd.rising", "medium", "dosing.3", reading="mrd.reference")
POSITIVE = Rule("mrd.positive", "medium", "dosing.3")
BORDERLINE = Rule("mrd.rise-borderline", "low", "dosing.3", review=True, reading="mrd.reference")
BASELINE = Rule("mrd.baseline-positive", "medium", "dosing.3", review=True)
_ARITHMETIC = Arithmetic(prec=28)  # digits of a logarithm that is shown; nothing is compared by it
READS = (MrdResulted, PatientEnrolled)


@dataclass
class _Episode:
    """An open episode while a series is walked through."""

    reference: Reading | None
    fired: Reading | None = None  # the result that last fired a rise
    lowest_since: Decimal | None = None
    converted: bool = False
    below: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """What went before in a series, as far as a later result can be held against it."""

    first: Reading | None = None  # of those with a value or a limit, as the two that follow
    last: Reading | None = None
    lowest: Reading | None = None
    undetected: Reading | None = None  # the latest

    def add(self, reading: Reading) -> None:
        if reading.undetected:
            self.undetected = reading
        if reading.level is None:
            return
        self.first, self.last = self.first or reading, reading
        if self.lowest is None or self.lowest.level is None or reading.level < self.lowest.level:
            self.lowest = reading

    def reference(self, how: str) -> Reading | None:
        """The result a new one is held against, by the chosen reading."""
        return {"previous": self.last, "baseline": self.first}.get(how, self.lowest)


def find(ctx: Context) -> Iterator[Finding]:
    for key, readings in all_series(ctx).items():
        yield from _walk(key, readings, ctx)


def _walk(key: SeriesKey, readings: list[Reading], ctx: Context) -> Iterator[Finding]:
    episode: _Episode | None = None
    seen = _Seen()
    if readings and readings[0].positive:
        yield _finding(BASELINE, key, readings[0], None, "First result of this series is positive")
    for before, reading in pairwise(readings):
        seen.add(before)
        reference = seen.reference(ctx.protocol.mrd.reference)
        if episode is not None and (outcome := _closes(reading, reference, episode, ctx)) is not None:
            yield from (replace(finding, outcome=outcome) for finding in episode.findings)
            episode = None
            continue
        fresh = episode or _Episode(reference)
        borderline = _judge(key, reading, seen.undetected, reference, fresh, ctx)
        if borderline is not None:
            yield borderline
        if fresh.findings:
            episode = fresh
    if episode is not None:
        yield from episode.findings


def _closes(reading: Reading, now: Reading | None, episode: _Episode, ctx: Context) -> str | None:
    """One result at or below the reference, or two in a row below the cut-off, end an episode.

    A result that is itself one more rise ends nothing, however low.
    """
    reference = episode.reference
    level = None if reference is None else reference.level
    if reference is not None and reading.undetected and reference.undetected:
        return "not_confirmed"
    if level is not None and reading.level is not None and reading.level <= level:
        return "not_confirmed"
    rises = any(reading.exceeds(bound) for bound, _ in _bounds(now, episode, ctx.protocol.mrd.rise_factor))
    episode.below = 0 if reading.positive or rises else episode.below + 1
    return "cleared" if episode.below >= ctx.protocol.mrd.results_to_close else None


def _judge(
    key: SeriesKey,
    reading: Reading,
    undetected: Reading | None,
    reference: Reading | None,
    episode: _Episode,
    ctx: Context,
) -> Finding | None:
    """Fire what this result gives into the episode; a borderline rise is returned, as it opens none."""
    factor = ctx.protocol.mrd.rise_factor
    bounds = _bounds(reference, episode, factor)
    borderline = None
    if any(reading.exceeds(bound) for bound, _ in bounds):
        bound, against = min(bounds, key=lambda pair: pair[0])
        episode.findings.append(
            _finding(RISING, key, reading, against, f"MRD rose more than {factor}-fold", bound / factor)
        )
        episode.fired, episode.lowest_since = reading, None
    else:
        exact = [pair for pair in bounds if reading.value == pair[0]]
        if exact:
            bound, against = exact[0]
            borderline = _finding(BORDERLINE, key, reading, against, f"MRD rose exactly {factor}-fold", bound / factor)
        if reading.level is not None:
            lowest = episode.lowest_since
            episode.lowest_since = reading.level if lowest is None else min(lowest, reading.level)
    if reading.positive and undetected is not None and not episode.converted:
        episode.findings.append(_finding(POSITIVE, key, reading, undetected, "MRD was undetected and is positive now"))
        episode.converted = True
    return borderline


def _bounds(reference: Reading | None, episode: _Episode, factor: Decimal) -> list[tuple[Decimal, Reading | None]]:
    """What a result must exceed to fire: ten times the reference; after a firing, what has happened since."""
    if episode.fired is None:
        level = None if reference is None else reference.level
        return [] if level is None else [(times(factor, level), reference)]
    fired = episode.fired.value if episode.fired.value is not None else episode.fired.at_least
    levels = [level for level in (fired, episode.lowest_since) if level is not None]
    return [(times(factor, level), episode.fired) for level in levels]


def _held(against: Reading, level: Decimal | None) -> str:
    return against.shown if level is None else f"{level} {against.fact.data.unit}"


def _finding(
    rule: Rule, key: SeriesKey, reading: Reading, against: Reading | None, said: str, level: Decimal | None = None
) -> Finding:
    details: dict[str, Detail] = {"value": reading.figure, "unit": reading.fact.data.unit, "item": label(key)}
    if against is not None:
        details["reference"] = str(level) if level is not None else against.shown
        value = reading.value or reading.at_least
        if level and value:
            change = _ARITHMETIC.log10(_ARITHMETIC.divide(value, level)).quantize(Decimal("0.01"))
            details["log10_change"] = str(change)
    compared = f", held against {_held(against, level)}" if against is not None else ""
    hit = Hit(f"{said}: {reading.shown}{compared} by {label(key)}", details=details)
    also = () if against is None or against.fact.key == reading.fact.key else (against.fact.key,)
    return single(rule, reading.fact, hit, item="/".join(key), also=also)
