"""The seam of every command that shows patients' data: that it does is on the log before anything is shown.

Who reads is recorded, with what was asked (21 CFR 11.10(d), (e)); switched off by SAFETY_MONITOR_RECORD_READS=false.
"""

import asyncio

from monitor.audit import kinds
from monitor.audit.acts import act, record_act
from monitor.cli.actor import actor
from monitor.clock import WallClock
from monitor.settings import load_settings


def note_read(command: str, *, patient: str | None = None, **asked: object) -> None:
    """Record that somebody reads; `patient` None: of all patients. Raises DatabaseUnavailable, UsageError."""
    settings = load_settings()
    if not settings.record_reads:
        return
    now = WallClock().now()
    given = {name: str(value) for name, value in asked.items() if value is not None}
    record = act(kinds.LOG_READ, {"command": command, "patient": patient, "asked": given}, actor=actor(), at=now)
    asyncio.run(record_act(settings.log_url, record, now, encrypt=settings.encrypt_payloads))
