"""Patients out of the cache, else out of the log."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from monitor.audit import kinds
from monitor.audit.batch import AlertRow
from monitor.audit.decisions import latest
from monitor.audit.ports import AuditLog
from monitor.audit.refold import refold
from monitor.core.alert import LIVE, Change
from monitor.protocol.timeline import Timeline
from monitor.recorder.cache import PatientCache
from monitor.recorder.failing import RULE
from monitor.recorder.known import Known
from monitor.recorder.patience import Patience
from monitor.recorder.recovery import missing_changes

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A patient, the alert that its assessment fails (if it does), and the decisions it owes since."""

    known: Known
    failing: AlertRow | None = None
    owed: tuple[Change, ...] = ()
    anew: bool = False  # what is owed is owed by newer rules


class Loader:
    """Finds a patient's state."""

    def __init__(self, log: AuditLog, files: Timeline, cache: PatientCache, patience: Patience) -> None:
        self._log = log
        self._files = files
        self._cache = cache
        self._patience = patience

    async def load(self, patient: str, swept_to: datetime | None) -> Loaded:
        """The state of a patient. One whose history cannot be folded comes without a state, as failing.

        swept_to: how far the events clock has swept its partition; None under the system's clock.
        """
        if (known := self._cache.get(patient)) is not None:
            return Loaded(known)
        self._cache.make_room()
        facts = await self._patience(lambda: self._log.stream(kinds.patient_stream(patient)))
        decided = await self._patience(lambda: self._log.stream(kinds.alert_stream(patient)))
        rows = await self._patience(lambda: self._log.alerts(patient=patient, statuses=LIVE)) if facts else []
        failing = next((row for row in rows if row.rule == RULE), None)
        redacted = any(record.redacted for record in facts)
        await asyncio.sleep(0)
        try:
            # Under the system's clock nothing marks how far an events clock swept before (a back-fill): decisions do.
            until = max((at for at in (swept_to, latest(decided)) if at is not None), default=None)
            refolded = refold(patient, self._files, facts, until=until)
        except Exception:  # whatever it is, it is this patient's alone
            logger.exception("a patient's history cannot be folded (its records are on the log)")
            return Loaded(Known(None, len(facts), len(decided), redacted), failing)
        owed = missing_changes(refolded.steps, decided) if failing else ()
        return Loaded(Known(refolded.patient, len(facts), len(decided), redacted), failing, owed)
