"""Who runs a command: what the log says of recorded reads and exports (21 CFR 11.10(e))."""

import getpass
import os
from typing import Final

from monitor.errors import UsageError

VARIABLE: Final = "SAFETY_MONITOR_ACTOR"


def actor() -> str:
    """The id in SAFETY_MONITOR_ACTOR, else the login name. Raises UsageError where there is neither."""
    if given := os.environ.get(VARIABLE, "").strip():
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError(f"who are you? set {VARIABLE} to your id in the trial") from None
