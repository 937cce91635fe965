"""A record of the log does not hold, or a decision is not the one its facts lead to: people are called.

The passes of the verifier are on the log, so whichever worker asks knows what any of them found.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from monitor.audit.passes import Passes
from monitor.audit.ports import AuditLog
from monitor.operations.trouble import Trouble

RULE: Final = "ops.log-broken"


class LogBroken:
    """The check: what the last pass over the log found."""

    rule = RULE

    def __init__(self, log: AuditLog) -> None:
        self._passes = Passes(log)

    async def troubles(self, now: datetime) -> Sequence[Trouble]:  # noqa: ARG002 - it is so until a pass says otherwise
        """The broken record, until a pass over the whole log finds none. Raises DatabaseUnavailable."""
        await self._passes.follow()
        found, since = self._passes.broken, self._passes.broken_since
        if found is None or since is None:
            return ()
        summary = f"Record {found.broken_at} of the audit log does not hold: {found.what}"
        return [Trouble(rule=RULE, item="log", since=since, summary=summary, details={"record": found.broken_at or 0})]
