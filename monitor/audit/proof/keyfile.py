"""Files that hold keys: made for their owner alone, read with a warning where others could have."""

import logging
import os
from pathlib import Path
from typing import Final

from monitor.errors import UsageError

logger = logging.getLogger(__name__)

PRIVATE: Final = 0o600
OTHERS: Final = 0o077
STRANGERS: Final = 0o027
"""Of a secret that the machine's root hands to a service by its group: only these are too many."""


def write_secret(path: Path, text: str) -> None:
    """Make the file, readable by its owner alone. Raises UsageError where there is one already, OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    except FileExistsError:
        raise UsageError(f"{path} is there already: a key is never written over") from None
    _write(descriptor, text)


def add_secret(path: Path, text: str) -> None:
    """Add to the end of the file. Raises OSError."""
    _write(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC), text)


def read_secret(path: Path) -> str:
    """What the file holds. Raises UsageError, which shows nothing of it."""
    try:
        if open_to_others(path):
            logger.warning("the key file %s can be read by others than its owner: chmod 600", path)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the key file {path} cannot be read: {type(error).__name__}") from None


def open_to_others(path: Path) -> bool:
    """Can others than those whom it was made for read the file? Raises OSError."""
    found = path.stat()
    return bool(found.st_mode & (OTHERS if found.st_uid == os.geteuid() else STRANGERS))


def _write(descriptor: int, text: str) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
