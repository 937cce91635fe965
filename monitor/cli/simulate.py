"""`safety-monitor simulate`: the same core over event files, with a virtual clock, in memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

import typer

from monitor.cli.instants import instant
from monitor.core.simulation import Simulation
from monitor.errors import UsageError
from monitor.events.parse import MAX_READ
from monitor.protocol.model import Protocol


def simulate(
    files: Annotated[list[str], typer.Argument(help="Event files, one CloudEvent a line; - for standard input.")],
    until: Annotated[
        str | None, typer.Option(help="Where the clock stops (RFC 3339); later events are not read.")
    ] = None,
    protocol: Annotated[Path | None, typer.Option(help="Another protocol file.")] = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="What to print.")] = "text",  # noqa: A002
) -> None:
    """Run the rules over files of events: no broker, no database."""
    simulation = Simulation(Protocol.load(protocol), until=instant("--until", until))
    for line in _lines(files):
        simulation.read(line)
    result = simulation.result()
    sys.stdout.write(json.dumps(result, indent=1, ensure_ascii=False) + "\n" if format == "json" else text(result))


def text(result: dict[str, object]) -> str:
    """The result for a reader: each patient's states, window and alerts."""
    lines = [f"as of {result['until']}"]
    patients = result["patients"]
    for patient_id, patient in patients.items() if isinstance(patients, dict) else ():
        lines.append(f"\n{patient_id}: {patient['protocol_state']} (treatment: {patient['treatment_state']})")
        if (window := patient["restart_window"]) is not None:
            lines.append(f"  restart window {window['state']}: {window['opens_on']} to {window['closes_on']}")
        for alert in patient["alerts"]:
            flags = [flag for flag in ("provisional", "boundary", "review") if alert[flag]]
            head = f"  {alert['effective_at']:<25} {alert['priority']:<6} {alert['status']:<12} {alert['rule']}"
            lines.append(f"{head}: {alert['summary']}" + (f" [{', '.join(flags)}]" if flags else ""))
    quarantined = result["quarantined"]
    refusals = quarantined if isinstance(quarantined, list) else []
    lines += [f"refused, line {refused['line']}: {refused['reason']}: {refused['detail']}" for refused in refusals]
    lines.append(f"\nduplicates: {result['duplicates']}")
    return "\n".join(lines) + "\n"


def _lines(files: list[str]) -> Iterator[bytes]:
    for name in files:
        try:
            if name == "-":
                yield from _bounded(sys.stdin.buffer)
            else:
                with Path(name).open("rb") as file:
                    yield from _bounded(file)
        except OSError as error:
            raise UsageError(f"cannot read {name}: {error.strerror or error}") from error


def _bounded(file: BinaryIO) -> Iterator[bytes]:
    """Line by line; of one beyond what is ever looked at, the beginning (it is too large, and so refused)."""
    while line := file.readline(MAX_READ):
        yield line.strip()  # as `publish` sends it
        while not line.endswith(b"\n") and (line := file.readline(MAX_READ)):
            pass
