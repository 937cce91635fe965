"""`safety-monitor generate`: a synthetic trial as events, the same bytes for the same seed."""

from pathlib import Path
from typing import Annotated

import typer


def generate(
    patients: Annotated[int, typer.Option(min=1, max=100_000, help="How many patients.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")],
    days: Annotated[int, typer.Option(min=1, max=3_650, help="Days from the first enrolment to the end.")] = 730,
    out: Annotated[Path | None, typer.Option(help="Where to write; standard output if absent.")] = None,
) -> None:
    """Make a synthetic trial as events: JSON Lines in order of time, one CloudEvent a line.

    Some lines are broken on purpose, as on a real wire; how many, and why, is said on standard error.
    """
    from monitor.generate.trial import generate_trial

    trial = generate_trial(patients, seed, days)
    if out is None:
        typer.echo(trial.text(), nl=False)
    else:
        out.write_text(trial.text(), encoding="utf-8")
    broken = ", ".join(f"{reason} {count}" for reason, count in sorted(trial.broken.items())) or "none"
    typer.echo(f"{len(trial.lines)} messages of {patients} patients; broken on purpose: {broken}", err=True)
