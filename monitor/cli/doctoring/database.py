"""The log's database: reached, its schema, our rights in it, its clock."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from monitor.audit.examining import Examination, examine
from monitor.cli.doctoring.symptom import Symptom, doubt, well, wrong
from monitor.errors import DatabaseUnavailable, UsageError
from monitor.settings import Settings, is_loopback

PART = "database"
ALLOWED: Final = timedelta(seconds=2)  # of skew: leases are fifteen seconds, and notices say when
ROOM: Final = 1 << 30  # bytes: a trial's log has some hundred megabytes
REWRITING: Final = frozenset({"UPDATE", "DELETE", "TRUNCATE"})
ROLES = "take the login that deploy/postgres/roles.sql describes"


async def look(settings: Settings) -> list[Symptom]:
    """Never raises for what the database does."""
    try:
        seen = await examine(settings.log_url)
    except DatabaseUnavailable as error:
        if settings.is_sqlite:
            return [
                doubt(PART, f"{error}", "the first start of a worker makes it, or `safety-monitor database upgrade`")
            ]
        return [wrong(PART, str(error), "start it; or look at database_url and database_password")]
    except UsageError as error:
        return [wrong(PART, str(error), "mend database_url")]
    return [*_schema(settings, seen), *_guards(seen), *(_file(seen) if seen.file else _server(settings, seen))]


def _schema(settings: Settings, seen: Examination) -> Iterator[Symptom]:
    if seen.revision == seen.newest:
        yield well(PART, f"{_named(settings)}, schema {seen.revision}")
        return
    has = f"has schema {seen.revision}" if seen.revision else "has no schema"
    yield wrong(PART, f"{_named(settings)} {has}; {seen.newest} is needed", "safety-monitor database upgrade")


def _guards(seen: Examination) -> Iterator[Symptom]:
    if seen.missing_guards:
        names = ", ".join(sorted(seen.missing_guards))
        yield wrong(
            PART, f"the log is not append-only: {names} gone or off", "find out who did it; run `safety-monitor verify`"
        )


def _file(seen: Examination) -> Iterator[Symptom]:
    if seen.risky:
        yield doubt(PART, "this SQLite can corrupt a log on a full disk or a crash", "SQLite 3.51.3, or PostgreSQL")
    if seen.shared:
        yield doubt(PART, "others may read the file with patients' data", f"chmod 600 {seen.file}")
    if seen.file is not None and (free := shutil.disk_usage(seen.file.parent).free) < ROOM:
        yield doubt(PART, f"{free >> 20} MiB are left on its disk", "make room: on a full disk nothing is recorded")


def _server(settings: Settings, seen: Examination) -> Iterator[Symptom]:
    if seen.rights is not None and not {"SELECT", "INSERT"} <= seen.rights:
        yield wrong(PART, "our login may not append to the log", ROLES)
    if seen.rights is not None and (too_much := sorted(REWRITING & seen.rights)):
        yield doubt(PART, f"our login could rewrite the log ({', '.join(too_much)})", ROLES)
    parts = urlsplit(settings.log_url)
    if not is_loopback(parts.hostname or "") and "sslmode=verify-full" not in parts.query:
        how = "and nobody knows with whom" if seen.encrypted else "in clear"
        yield doubt(PART, f"patients' data cross the network {how}", "sslmode=verify-full&sslrootcert=FILE in the URL")
    if seen.skew is not None:
        ahead = f"the server's clock is {seen.skew.total_seconds():+.1f} s from ours"
        yield well("clock", ahead) if abs(seen.skew) <= ALLOWED else doubt("clock", ahead, "let both follow NTP")


def _named(settings: Settings) -> str:
    """The database without user and password."""
    parts = urlsplit(settings.log_url)
    return f"SQLite {parts.path[1:]}" if settings.is_sqlite else f"PostgreSQL {parts.hostname}{parts.path}"
