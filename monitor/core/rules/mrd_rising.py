"""MRD rises and conversions, told once an episode and again for each further tenfold (clause dosing.3).

"MRD increase (> 1 log)" is read as strictly more than ten times the nadir since transplant within one series
(`mrd.reference`). MRD permits adding drugs; it never stops treatment and never moves the DLI schedule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Context as Arithmetic
from decimal import Decimal

from monitor.core.context import Context
from monitor.core.exact import times
from monitor.core.finding import Detail, Finding, Found, Rule
from monitor.core.rules.mrd_series import Reading, SeriesKey, all_series, label
from monitor.core.rules.runs import single
from monitor.core.series import Series
from monitor.core.stops import Hit
from monitor.core.walking import walk
from monitor.events.mrd import MrdResulted
from monitor.events.patient import PatientEnrolled

RISING = Rule("mrd.rising", "medium", "dosing.3", reading="mrd.reference")
POSITIVE = Rule("mrd.positive", "medium", "dosing.3")
BORDERLINE = Rule("mrd.rise-borderline", "low", "dosing.3", review=True, reading="mrd.reference")
BASELINE = Rule("mrd.baseline-positive", "medium", "dosing.3", review=True)
_ARITHMETIC = Arithmetic(prec=28)  # digits of a logarithm that is shown; nothing is compared by it
READS = (MrdResulted, PatientEnrolled)


@dataclass(frozen=True, slots=True)
class _Episode:
    """An open episode while a series is walked along."""

    reference: Reading | None
    fired: Reading | None = None  # the result that last fired a rise
    lowest_since: Decimal | None = None
    converted: bool = False
    below: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What went before in a series, as far as a later result can be held against it."""

    first: Reading | None = None  # of those with a value or a limit, as the two that follow
    last: Reading | None = None
    lowest: Reading | None = None
    undetected: Reading | None = None  # the latest

    def then(self, reading: Reading) -> _Seen:
        undetected = reading if reading.undetected else self.undetected
        if reading.level is None:
            return replace(self, undetected=undetected)
        lower = self.lowest is None or self.lowest.level is None or reading.level < self.lowest.level
        return _Seen(self.first or reading, reading, reading if lower else self.lowest, undetected)

    def reference(self, how: str) -> Reading | None:
        """The result a new one is held against, by the chosen reading."""
        return {"previous": self.last, "baseline": self.first}.get(how, self.lowest)


@dataclass(frozen=True, slots=True)
class Told:
    """What one series has told so far, and the firings with what followed each; None: nothing yet."""

    over: Series[Finding] = field(default_factory=Series)
    episode: _Episode | None = None
    seen: _Seen | None = None  # None: nothing has been read yet
    followed: Series[tuple[Reading, Reading]] = field(default_factory=Series)
    fired: Reading | None = None  # the latest result, if it fired

    def then(self, reading: Reading, over: tuple[Finding, ...], episode: _Episode | None, *, fired: bool) -> Told:
        """After one more result, with what can change no more, and the episode that is open."""
        grown = self.over
        for finding in over:
            grown = grown.with_item(finding)
        followed = self.followed if self.fired is None else self.followed.with_item((self.fired, reading))
        seen = (self.seen or _Seen()).then(reading)
        return Told(grown, episode, seen, followed, reading if fired else None)


def find(ctx: Context) -> Iterator[Found]:
    for told in each_series(ctx).values():
        yield told.over
        if told.episode is not None:
            yield from told.episode.findings


def each_series(ctx: Context) -> dict[SeriesKey, Told]:
    """What the rises and conversions of each series are."""

    def along(key: SeriesKey, readings: Series[Reading]) -> Told:
        name = (ctx.protocol.hash, "mrd.rising", *key)
        return walk(ctx.memo, name, readings, Told(), lambda told, reading: _step(told, key, reading, ctx))

    return {key: along(key, readings) for key, readings in all_series(ctx).items()}


def _step(told: Told, key: SeriesKey, reading: Reading, ctx: Context) -> Told:
    if told.seen is None:
        said = "First result of this series is positive"
        first = (_finding(BASELINE, key, reading, None, said),) if reading.positive else ()
        return told.then(reading, first, None, fired=False)
    reference, episode = told.seen.reference(ctx.protocol.mrd.reference), told.episode
    if episode is not None:
        below = _below(reading, reference, episode, ctx)
        if (outcome := _closes(reading, episode, below, ctx)) is not None:
            over = tuple(replace(finding, outcome=outcome) for finding in episode.findings)
            return told.then(reading, over, None, fired=False)
        episode = replace(episode, below=below)
    before = episode or _Episode(reference)
    after, borderline = _judge(key, reading, told.seen.undetected, reference, before, ctx)
    over = () if borderline is None else (borderline,)
    fired = len(after.findings) > len(before.findings)
    return told.then(reading, over, after if after.findings else None, fired=fired)


def _below(reading: Reading, reference: Reading | None, episode: _Episode, ctx: Context) -> int:
    """How many results in a row are below the cut-off. One that is itself one more rise is none, however low."""
    rises = any(reading.exceeds(bound) for bound, _ in _bounds(reference, episode, ctx.protocol.mrd.rise_factor))
    return episode.below + 1 if reading.surely_below and not rises else 0


def _closes(reading: Reading, episode: _Episode, below: int, ctx: Context) -> str | None:
    """One result at or below the reference, or two in a row below the cut-off, end an episode."""
    level = None if episode.reference is None else episode.reference.level
    if level is not None and reading.level is not None and reading.level <= level:
        return "not_confirmed"
    return "cleared" if below >= ctx.protocol.mrd.results_to_close else None


def _judge(
    key: SeriesKey,
    reading: Reading,
    undetected: Reading | None,
    reference: Reading | None,
    episode: _Episode,
    ctx: Context,
) -> tuple[_Episode, Finding | None]:
    """The episode with what this result fires in it; and a borderline rise, which opens none."""
    factor = ctx.protocol.mrd.rise_factor
    bounds = _bounds(reference, episode, factor)
    borderline = None
    if any(reading.exceeds(bound) for bound, _ in bounds):
        bound, against = min(bounds, key=lambda pair: pair[0])
        rise = _finding(RISING, key, reading, against, f"MRD rose more than {factor}-fold", bound / factor)
        episode = replace(episode, findings=(*episode.findings, rise), fired=reading, lowest_since=None)
    else:
        exact = [pair for pair in bounds if reading.value == pair[0]]
        if exact:
            bound, against = exact[0]
            borderline = _finding(BORDERLINE, key, reading, against, f"MRD rose exactly {factor}-fold", bound / factor)
        if reading.level is not None:
            lowest = episode.lowest_since
            episode = replace(episode, lowest_since=reading.level if lowest is None else min(lowest, reading.level))
    if reading.positive and undetected is not None and not episode.converted:
        conversion = _finding(POSITIVE, key, reading, undetected, "MRD was undetected and is positive now")
        episode = replace(episode, findings=(*episode.findings, conversion), converted=True)
    return episode, borderline


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
