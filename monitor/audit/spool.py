"""Records that wait beside a SQLite log while another process writes to it; that one takes them over.

A line of JSON a record, in FILE.waiting, private to its owner. Each has a dedupe key: taken twice, it is recorded once.
Half a line, of who was killed while adding it, is no record.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from monitor.audit.added_file import add_whole
from monitor.audit.records import NewRecord
from monitor.audit.sqlite_file import PRIVATE
from monitor.audit.times import utc_text, utc_time
from monitor.errors import DatabaseUnavailable
from monitor.events.canonical import canonical

SUFFIX: Final = ".waiting"
MAX_BYTES: Final = 16_777_216  # tens of thousands of reads: the writer has not looked for long
KEPT: Final = ("stream", "kind", "payload", "actor", "dedupe_key", "keyed_by")


class Spool:
    """The file beside a log. Its methods raise DatabaseUnavailable when it cannot be opened, or added to."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + SUFFIX)

    def add(self, record: NewRecord) -> None:
        """Let a record wait: on the disk on return."""
        shown = {name: getattr(record, name) for name in KEPT} | {"known_at": utc_text(record.known_at)}
        line = f"{canonical(shown)}\n".encode()
        with self._locked() as descriptor:
            end = _end_of_lines(descriptor)
            if end + len(line) > MAX_BYTES:
                raise DatabaseUnavailable(f"{self._path} is full: the worker does not take over what waits there")
            os.ftruncate(descriptor, end)
            try:
                add_whole(descriptor, line)
            except OSError as error:
                raise DatabaseUnavailable(f"{self._path} cannot be written: {error.strerror}") from error

    @contextmanager
    def taken(self) -> Iterator[list[NewRecord]]:
        """The records that wait; they wait no longer once the block has ended well."""
        if not self._path.exists():
            yield []
            return
        with self._locked() as descriptor, os.fdopen(os.dup(descriptor), "rb") as file:
            yield [_record(line) for line in file if line.endswith(b"\n")]
            os.ftruncate(descriptor, 0)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            raise DatabaseUnavailable(f"{self._path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def _end_of_lines(descriptor: int) -> int:
    """Where the last whole line ends."""
    size = os.lseek(descriptor, 0, os.SEEK_END)
    return os.pread(descriptor, size, 0).rfind(b"\n") + 1


def _record(line: bytes) -> NewRecord:
    shown = json.loads(line)
    return NewRecord(**shown | {"known_at": utc_time(shown["known_at"])})
