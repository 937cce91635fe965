"""Measurable residual disease, read one series at a time; values are never compared across series.

A series is (assay, target, specimen, lab, method version, unit). "Undetected" keeps its limit and is never a number;
"detected, not quantifiable" and a ">" value count as positive and never as nadir.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from monitor.core.context import Context
from monitor.core.history import Fact
from monitor.core.once import Once
from monitor.core.series import Series
from monitor.core.walking import chosen, walk
from monitor.events.mrd import MrdResulted

SeriesKey = tuple[str, str, str, str, str, str]
_ASSAYS = {"flow": "flow cytometry", "qpcr": "qPCR", "ngs": "NGS", "dpcr": "digital PCR"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One evaluable result. `value` is exact, `at_least` a lower bound, `limit` that of an undetected result."""

    fact: Fact[MrdResulted]
    value: Decimal | None
    at_least: Decimal | None
    limit: Decimal | None
    undetected: bool

    @property
    def cutoff(self) -> Decimal | None:
        return self.fact.data.positive_cutoff

    @property
    def positive(self) -> bool:
        """Detected at or above the positive cut-off; without one, any detection."""
        if self.undetected:
            return False
        return self.cutoff is None or self.value is None or self.value >= self.cutoff

    @property
    def surely_below(self) -> bool:
        """Below the cut-off for certain: a test that could have missed that much does not say so."""
        could_miss = self.undetected and self.limit is not None and self.cutoff is not None and self.limit > self.cutoff
        return not self.positive and not could_miss

    @property
    def low(self) -> bool:
        """Detected below the cut-off."""
        return not self.undetected and not self.positive

    @property
    def level(self) -> Decimal | None:
        """The value or the limit: what a later result is held against."""
        return self.limit if self.undetected else self.value

    def exceeds(self, bound: Decimal) -> bool:
        """Is it certainly more than `bound`? A lower bound that reaches it is enough."""
        if self.value is not None:
            return self.value > bound
        return self.at_least is not None and self.at_least >= bound

    @property
    def figure(self) -> str:
        """The bare number where there is one, else the result in words."""
        return str(self.value) if self.value is not None else self.shown

    @property
    def shown(self) -> str:
        """The result as a clinician writes it."""
        unit = self.fact.data.unit
        if self.undetected:
            return f"undetected (below {self.limit} {unit})" if self.limit is not None else "undetected"
        if self.value is not None:
            return f"{self.value} {unit}"
        return f"above {self.at_least} {unit}" if self.at_least is not None else "detected, not quantifiable"


SeriesOf = dict[SeriesKey, Series[Reading]]


@Once
def read(fact: Fact[MrdResulted]) -> Reading | None:
    """An evaluable result; None for an empty one, or for a negative from an inadequate sample."""
    result = fact.data
    below = result.comparator == "<" and result.detected is not True
    undetected = result.detected is False or below or (result.value == 0 and result.detected is not True)
    if undetected:
        if not result.adequate:
            return None
        limit = result.value if result.comparator == "<" else result.lod
        return Reading(fact, None, None, limit or result.lod, undetected=True)
    if result.value is None and not result.detected:
        return None
    exact = result.value is not None and result.comparator is None and result.value > 0
    above = result.value if result.comparator == ">" else None
    return Reading(fact, result.value if exact else None, above, None, undetected=False)


def series_key(result: MrdResulted) -> SeriesKey:
    """What two results must share to be compared."""
    return (
        result.assay,
        result.target or "",
        result.specimen,
        result.lab or "",
        result.method_version or "",
        result.unit,
    )


def label(key: SeriesKey) -> str:
    """A series in words, for a reader."""
    assay, target, specimen, lab, _, _ = key
    found = f"{_ASSAYS[assay]} of {target}" if target else _ASSAYS[assay]
    return f"{found} in {specimen.replace('_', ' ')}" + (f" ({lab})" if lab else "")


def distinguished(key: SeriesKey, other: SeriesKey) -> tuple[str, str]:
    """Two series in words that tell them apart: where they look alike, with method version and unit."""
    if label(key) != label(other):
        return label(key), label(other)
    return _in_full(key), _in_full(other)


def _in_full(key: SeriesKey) -> str:
    *_, method, unit = key
    return f"{label(key)}, {f'method {method}' if method else 'method not stated'}, in {unit}"


def all_series(ctx: Context) -> SeriesOf:
    """The evaluable results since the transplant, by series, each in order of effective time."""
    results = chosen(ctx.memo, ("MRD", str(ctx.d0)), ctx.history.of(MrdResulted), ctx.since_transplant)
    return walk(ctx.memo, ("MRD series", str(ctx.d0)), results, {}, _sorted)


def _sorted(series: SeriesOf, fact: Fact[MrdResulted]) -> SeriesOf:
    if (reading := read(fact)) is None:
        return series
    key = series_key(fact.data)
    return {**series, key: series.get(key, Series[Reading]()).with_item(reading)}
