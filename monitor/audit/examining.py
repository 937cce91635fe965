"""The log's database as `doctor` looks at it: who we are there, what guards the log, whose clock is right."""

import sqlite3
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit.database import SAFE_SQLITE, Database
from monitor.audit.schema import newest_revision, revision_of

OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
RIGHTS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
GUARDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "sqlite": frozenset({"audit_log_no_update", "audit_log_no_delete", "audit_log_no_replace"}),
        "postgresql": frozenset({"audit_log_no_change", "audit_log_no_truncate"}),
    }
)


@dataclass(frozen=True, slots=True)
class Examination:
    """What was seen. On SQLite there are no rights, no other clock and no wire; on PostgreSQL no file.

    `rights`: what our role may do to the log; None where there are no roles. `skew`: the server's clock less ours.
    `encrypted`: whether this connection is. `shared`: whether others may read the file. `risky`: this SQLite can
    corrupt a log.
    """

    revision: str | None
    newest: str
    missing_guards: frozenset[str] = frozenset()
    rights: frozenset[str] | None = None
    skew: timedelta | None = None
    encrypted: bool | None = None
    file: Path | None = None
    shared: bool = False
    risky: bool = False


async def examine(url: str) -> Examination:
    """Look, and change nothing. Raises DatabaseUnavailable, UsageError."""
    database = Database(url, writing=False)
    try:
        async with database.reading() as connection:
            revision = await revision_of(connection)
            missing = await _missing_guards(connection) if revision else frozenset()
            if database.file is not None:
                return _of_file(database.file, revision, missing)
            return await _of_server(connection, revision, missing)
    finally:
        await database.close()


def _of_file(file: Path, revision: str | None, missing: frozenset[str]) -> Examination:
    return Examination(
        revision=revision,
        newest=newest_revision(),
        missing_guards=missing,
        file=file,
        shared=bool(file.stat().st_mode & OTHERS),
        risky=sqlite3.sqlite_version_info < SAFE_SQLITE,
    )


async def _of_server(connection: AsyncConnection, revision: str | None, missing: frozenset[str]) -> Examination:
    asked = datetime.now(UTC)
    told = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    answered = datetime.now(UTC)
    wire = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    return Examination(
        revision=revision,
        newest=newest_revision(),
        missing_guards=missing,
        rights=await _rights(connection) if revision else None,
        skew=told - (asked + (answered - asked) / 2),
        encrypted=bool((await connection.execute(wire)).scalar()),
    )


async def _rights(connection: AsyncConnection) -> frozenset[str]:
    asked = text("SELECT has_table_privilege('audit_log', :right)")
    held = {right: (await connection.execute(asked, {"right": right})).scalar_one() for right in RIGHTS}
    return frozenset(right for right, may in held.items() if may)


async def _missing_guards(connection: AsyncConnection) -> frozenset[str]:
    """The triggers that refuse changes of the log, as far as they are not there or switched off."""
    question = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_log'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_log'::regclass AND tgenabled = 'A'",
    }[connection.dialect.name]
    found = (await connection.execute(text(question))).scalars().all()
    return GUARDS[connection.dialect.name] - frozenset(found)
