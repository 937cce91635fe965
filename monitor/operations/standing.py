"""The alerts about the system as the log has them: followed from where the last look left the stream."""

import json

from monitor.audit import kinds
from monitor.audit.batch import AlertRow
from monitor.audit.ports import AuditLog
from monitor.audit.read_models import alert_row_of
from monitor.core.alert import Change
from monitor.operations.reconciling import restored


class Standing:
    """Rows by reference, and the version of the stream that they stand for. A cache: the log can always make it."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._sequence = 0
        self.version = 0
        self.rows: dict[str, AlertRow] = {}

    async def follow(self) -> list[Change]:
        """Take up what the stream holds since; which changes those are. Raises DatabaseUnavailable."""
        changes = []
        async for record in self._log.read(after=self._sequence, stream=kinds.SYSTEM_ALERTS):
            row = None if record.gone else alert_row_of(record, self.rows)  # of a patient who was erased
            if row is not None:
                before = self.rows.get(row.alert_id)
                kind = json.loads(record.payload)["change"]
                changes.append(Change(kind, restored(row), restored(before) if before else None, record.known_at))
                self.rows[row.alert_id] = row
            self._sequence, self.version = record.sequence, record.version
        return changes
