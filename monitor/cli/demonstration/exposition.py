"""Numbers read off Prometheus' text format: sums of a series over what its labels select."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SAMPLE: Final = re.compile(r"^(?P<name>[a-z_:]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)
KEPT: Final = ("recorded", "waiting", "refused")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Exposition:
    """One answer of /metrics."""

    text: str

    def total(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that carry these labels; 0 if there is none."""
        return sum(value for found, value in self._samples(name) if labels.items() <= found.items())

    def _samples(self, name: str) -> Iterator[tuple[dict[str, str], float]]:
        for match in _SAMPLE.finditer(self.text):
            if match["name"] == name:
                yield dict(_LABEL.findall(match["labels"] or "")), float(match["value"])

    @property
    def taken(self) -> int:
        """Messages that are accounted for: recorded, waiting, refused, or dropped as exact redeliveries."""
        kept = sum(self.total("safety_events_total", outcome=outcome) for outcome in KEPT)
        return int(kept + self.total("safety_duplicates_total"))

    @property
    def clock(self) -> float:
        """Now, by the monitor's clock, as Unix time."""
        return self.total("safety_clock_now_timestamp_seconds")

    @property
    def raised(self) -> int:
        """Alerts raised so far."""
        return int(self.total("safety_alerts_total", change="raised"))
