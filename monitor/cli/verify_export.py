"""`safety-monitor verify --export`: an export verified offline, without log and database."""

import asyncio
import zipfile
import zlib
from pathlib import Path

import typer

from monitor.audit.export.offline import verify_export
from monitor.audit.export.streams import decisions_of
from monitor.audit.export.verifier import BrokenError
from monitor.audit.verdict import Verdict
from monitor.cli.audit import read_keyring
from monitor.cli.side_by_side import side_by_side
from monitor.errors import UsageError
from monitor.protocol.model import Protocol
from monitor.settings import load_settings

BROKEN = 1


def verified_export(
    path: Path, keys: Path | None, protocol: Path | None, jobs: int
) -> tuple[list[str], Verdict | None]:
    """The verdict on an export that is whole, in plain words, and what became of its decisions (None: not looked at).

    `keys`: a keyring held here; without it those that came with the export are used. `jobs`: how many processes derive
    the decisions. Says what is broken on standard error and ends with exit code 1. Raises UsageError.
    """
    if not path.exists():
        raise UsageError(f"there is no export at {path}")
    held = read_keyring(keys) if keys else ()
    try:
        export = verify_export(path, held)
        chosen = Protocol.load(protocol or load_settings().protocol)
        with side_by_side(jobs) as aside:
            return export.told(), asyncio.run(decisions_of(export, chosen, aside))
    except (BrokenError, OSError, zipfile.BadZipFile, EOFError, zlib.error) as error:
        typer.echo(f"BROKEN: {error}", err=True)
        raise typer.Exit(BROKEN) from None
