"""What a driver's error means to the daemon."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.errors import DatabaseUnavailable, MonitorError, SchemaMissing

# Classes and codes of PostgreSQL's errors (its manual, appendix A) after which another attempt can succeed.
_PASSING: Final = (
    "08",  # the connection broke
    "25P03",  # idle in a transaction for too long
    "25006",  # a standby, for now
    "28",  # refused at the door
    "3D",  # no such database, yet
    "40",  # rolled back: serialization, deadlock
    "53",  # out of disk, memory, connections
    "55P03",  # a lock was not to be had in time
    "57",  # cancelled by a time limit, shut down, starting up
    "58",  # the system under it failed
)
_DAMAGED: Final = ("file is not a database", "database disk image is malformed")
_NO_TABLE: Final = "42P01"
_UPGRADE: Final = "the database has no schema: run `safety-monitor database upgrade`"


class DatabaseDamagedError(MonitorError):
    """SQLite cannot read its own file: another kind of file, or one that was cut off or written over."""


class UndecodableTextError(MonitorError):
    """SQLite read a text that is not UTF-8: somebody wrote into the file. (The driver would show the text.)"""


@contextmanager
def translated() -> Iterator[None]:
    """Raise DatabaseUnavailable or SchemaMissing for what the driver raised; other errors are bugs and pass."""
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None) or ""
        if code == _NO_TABLE or "no such table" in str(error.orig):
            raise SchemaMissing(_UPGRADE) from error
        if any(said in str(error.orig) for said in _DAMAGED):
            what = f"{_line(error.orig)}: no log, or one that is damaged; restore it from a backup (docs/operations.md)"
            raise DatabaseDamagedError(what) from error
        if "Could not decode to UTF-8" in str(error.orig):
            raise UndecodableTextError("a text in the database is not UTF-8: run `safety-monitor verify`") from None
        if error.connection_invalidated or _may_pass(error, code):
            raise DatabaseUnavailable(f"the database failed: {_line(error.orig)}") from error
        raise
    except (OSError, TimeoutError, PoolTimeout) as error:
        raise DatabaseUnavailable(f"the database does not answer: {_line(error)}") from error


def _may_pass(error: DBAPIError, code: str) -> bool:
    if code:
        return code.startswith(_PASSING)
    return isinstance(error, OperationalError | InterfaceError | InternalError)


def _line(error: BaseException | None) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
