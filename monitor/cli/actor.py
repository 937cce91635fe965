"""Who runs a command: what the log says of recorded reads and exports (21 CFR 11.10(e))."""

import getpass
from typing import Final

from monitor.errors import UsageError
from monitor.settings import load_settings

VARIABLE: Final = "SAFETY_MONITOR_ACTOR"


def actor() -> str:
    """The id in SAFETY_MONITOR_ACTOR, else the login name. Raises UsageError where there is neither."""
    if given := (load_settings().actor or "").strip():
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise UsageError(f"who are you? set {VARIABLE} to your id in the trial") from None
