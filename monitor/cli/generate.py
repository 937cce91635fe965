"""`safety-monitor generate`: a synthetic trial as events, the same bytes for the same seed."""

from pathlib import Path
from typing import Annotated

import typer


def generate(
    patients: Annotated[int, typer.Option(min=1, max=100_000, help="How many patients.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")],
    days: Annotated[int, typer.Option(min=1, max=3_650, help="Days of follow-up after the first transplant.")] = 730,
    out: Annotated[Path | None, typer.Option(help="Where to write; standard output if absent.")] = None,
) -> None:
    """Make a synthetic trial as events: JSON Lines in order of time, one CloudEvent a line."""
    raise NotImplementedError
