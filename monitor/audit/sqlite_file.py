"""The SQLite file: private to its user, and written by one process at a time."""

import fcntl
import os
from pathlib import Path
from typing import Final

from monitor.errors import DatabaseInUse, DatabaseUnavailable

PRIVATE: Final = 0o600
"""Patients' data: its owner alone may read or write."""


def keep_private(file: Path) -> None:
    """Make the file, if it is not there, and take everybody else's rights to it away. Raises DatabaseUnavailable."""
    os.close(_opened(file))
    file.chmod(PRIVATE)


class WriterLock:
    """An operating-system lock on FILE.lock, held until release() or the end of the process, however it ends.

    Raises DatabaseInUse while another holds it.
    """

    def __init__(self, file: Path) -> None:
        self._descriptor = _opened(file.with_name(file.name + ".lock"))
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 20, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise DatabaseInUse(
                f"{file} is being written by process {holder}: a SQLite log has one writer; stop that one first"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next writer in."""
        os.close(self._descriptor)


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    except OSError as error:
        raise DatabaseUnavailable(f"{path} cannot be opened: {error.strerror}") from error
