"""`safety-monitor database upgrade`: make or migrate the schema of the log's database."""

import asyncio

import typer

from monitor.audit.schema import upgrade as upgrade_schema
from monitor.settings import load_settings


def upgrade() -> None:
    """Make the schema, or bring it to the newest revision; nothing happens if it is there already."""
    revision = asyncio.run(upgrade_schema(load_settings().database_url.get_secret_value()))
    typer.echo(f"the database is at schema {revision}")
