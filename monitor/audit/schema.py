"""Making and migrating the schema, and knowing whether it is the one this program was written for."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.audit.database import Database
from monitor.errors import DatabaseUnavailable, SchemaMissing


async def upgrade(url: str) -> str:
    """Bring the schema to the newest revision and return it; nothing happens if it is there already.

    Raises DatabaseUnavailable, SchemaMissing for a database that a newer program has migrated, and DatabaseInUse when
    another process writes to the SQLite file.
    """
    found = await current_revision(url)
    _check_not_newer(found)
    if found == newest_revision():
        return found
    database = Database(url, limit_ms=None)  # a migration may take its time
    try:
        async with database.writing() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await database.close()
    return newest_revision()


async def current_revision(url: str) -> str | None:
    """The revision the database is at; None if it has no schema. Raises DatabaseUnavailable."""
    try:
        database = Database(url, writing=False)
    except DatabaseUnavailable:  # no file yet
        return None
    try:
        async with database.reading() as connection:
            return await revision_of(connection)
    finally:
        await database.close()


async def is_current(url: str) -> bool:
    """True if the database is at the newest revision. Raises DatabaseUnavailable."""
    return await current_revision(url) == newest_revision()


async def check_current(database: Database) -> None:
    """Raises SchemaMissing, saying what to do, unless the database is at the newest revision."""
    async with database.reading() as connection:
        found = await revision_of(connection)
    _check_not_newer(found)
    if found != newest_revision():
        state = f"has schema {found}, this program needs {newest_revision()}" if found else "has no schema"
        raise SchemaMissing(f"the database {state}: run `safety-monitor database upgrade`")


def _check_not_newer(found: str | None) -> None:
    """Migrations go forward alone: what a newer program has done, this one cannot judge."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMissing(f"the database has schema {found}, which is newer than this program: start the newer one")


async def revision_of(connection: AsyncConnection) -> str | None:
    """The revision seen over this connection."""
    return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def newest_revision() -> str:
    """The revision this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package was installed without its migrations")
    return head


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
