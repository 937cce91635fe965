"""Logging of the daemon: one JSON object a line on standard error. No patient's number at `info` or above."""

import logging
import sys
from typing import Final

import structlog

# Libraries that say at `info` what is of no use to an operator, or say it with a traceback that repeats our own.
QUIET: Final = {
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "aiokafka": logging.WARNING,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "abc": logging.WARNING,  # under these two names faust logs of our consumer
    "monitor.agents.consumer": logging.WARNING,
}


def configure_logging(level: str) -> None:
    """Send everything the program and its libraries log through one formatter."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
