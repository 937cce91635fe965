"""Whether this process does its work: what /readyz answers, and why not.

faust calls itself ready for ever once its broker is gone, so readiness is judged by age: of the last answer from the
broker, of a batch in hand that does not get committed, and by whether the database answers.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One check: `ok`, and a sentence an operator can act on."""

    ok: bool
    reason: str


@dataclass(frozen=True)
class HealthReport:
    """All checks by name; ready if all are."""

    checks: dict[str, Verdict]

    @property
    def ready(self) -> bool:
        """True if every check holds."""
        return all(check.ok for check in self.checks.values())

    def to_json(self) -> dict[str, object]:
        """The body of /readyz."""
        return {
            "ready": self.ready,
            "checks": {name: {"ok": check.ok, "reason": check.reason} for name, check in self.checks.items()},
        }


class Health:
    """Collects signs of life; ages in seconds of a monotonic clock, `within` is the oldest that still counts."""

    def __init__(self, *, within: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._within = within
        self._monotonic = monotonic
        self._running = False
        self._fetched_at: float | None = None
        self._committed_at: float | None = None
        self._begun_at: float | None = None
        self._database: str | None = None

    def started(self) -> None:
        """The worker has its partitions and reads."""
        self._running = True

    def stopping(self) -> None:
        """The worker drains: no longer ready, still alive."""
        self._running = False

    def fetched(self) -> None:
        """The broker answered (also with nothing)."""
        self._fetched_at = self._monotonic()

    def batch_begun(self) -> None:
        """A batch is in hand; until `committed` its age counts."""
        if self._begun_at is None:
            self._begun_at = self._monotonic()

    def committed(self) -> None:
        """A batch is on the log, so the database answers."""
        self._committed_at = self._monotonic()
        self._begun_at = None
        self._database = None

    def database_failed(self, reason: str) -> None:
        """The database did not answer; `reason` must hold no secret."""
        self._database = reason

    def database_answered(self) -> None:
        """The database answers again."""
        self._database = None

    def report(self) -> HealthReport:
        """Judge now."""
        return HealthReport(
            {
                "worker": Verdict(self._running, "running" if self._running else "starting or stopping"),
                "database": Verdict(self._database is None, self._database or "answers"),
                "commit": self._commit(),
                "broker": self._broker(),
            }
        )

    def _commit(self) -> Verdict:
        if self._begun_at is not None:
            age = self._monotonic() - self._begun_at
            return Verdict(age <= self._within, f"a batch has been in hand for {age:.1f} s (limit {self._within:g} s)")
        if self._committed_at is None:
            return Verdict(True, "nothing to commit so far")
        return Verdict(True, f"last commit {self._monotonic() - self._committed_at:.1f} s ago, nothing in hand")

    def _broker(self) -> Verdict:
        if self._fetched_at is None:
            return Verdict(False, "the broker has not answered yet")
        age = self._monotonic() - self._fetched_at
        return Verdict(age <= self._within, f"last answer {age:.1f} s ago (limit {self._within:g} s)")
