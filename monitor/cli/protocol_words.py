"""`safety-monitor protocol check FILE` and `protocol diff A B`: a protocol file in words, without a log."""

from pathlib import Path
from typing import Annotated

import typer

from monitor.protocol.model import Protocol
from monitor.protocol.words import alternatives, differences, fields, readings, thresholds

File = Annotated[Path, typer.Argument(help="A protocol file (YAML).", show_default=False)]


def check(file: File) -> None:
    """Validate a protocol file and print in words how it reads the trial's record."""
    protocol = Protocol.load(file)
    typer.echo(f"{protocol.id} version {protocol.version}, {protocol.hash}: valid")
    typer.echo(f"{protocol.title}; local days of {protocol.site_timezone}")
    typer.echo("\nReadings, where the record is ambiguous:")
    values = fields(protocol)
    for name, said in readings(protocol).items():
        typer.echo(f"  {said} [{name}: {values[name]}]")
        for other in alternatives(name, values[name]):
            typer.echo(f"      or: {other}")
    typer.echo("\nThresholds:")
    for name, said in thresholds(protocol).items():
        typer.echo(f"  {said} [{name}]")


def diff(before: File, after: File) -> None:
    """Say in words what changes from one protocol file to another."""
    changes = differences(Protocol.load(before), Protocol.load(after))
    if not changes:
        typer.echo("the two files say the same")
    for change in changes:
        typer.echo(f"{change.field}\n  before: {change.before}\n  after:  {change.after}")
