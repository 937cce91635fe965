"""The ids of all rules, for labels that come from a closed set."""

import importlib
import pkgutil

import monitor.core.rules
from monitor.core.finding import Rule
from monitor.notify.stuck import RULE as NOTICE_UNDELIVERED
from monitor.operations.history_size import RULE as HISTORY_SIZE
from monitor.operations.log_broken import RULE as LOG_BROKEN
from monitor.operations.quarantine_share import RULE as QUARANTINE_SHARE
from monitor.operations.source_silent import RULE as SOURCE_SILENT
from monitor.operations.stop_in_doubt import RULE as STOP_IN_DOUBT
from monitor.recorder.failing import RULE as ASSESSMENT_FAILED

OPERATIONS = (
    ASSESSMENT_FAILED,
    HISTORY_SIZE,
    LOG_BROKEN,
    NOTICE_UNDELIVERED,
    QUARANTINE_SHARE,
    SOURCE_SILENT,
    STOP_IN_DOUBT,
)
"""The rules of the alerts that tell of the monitor and not of a patient's course."""


def rule_ids() -> frozenset[str]:
    """Every rule that a module of `monitor.core.rules` declares, and the monitor's own."""
    names = (found.name for found in pkgutil.iter_modules(monitor.core.rules.__path__))
    modules = (importlib.import_module(f"monitor.core.rules.{name}") for name in names)
    declared = {value.id for module in modules for value in vars(module).values() if isinstance(value, Rule)}
    return frozenset(declared.union(OPERATIONS))
