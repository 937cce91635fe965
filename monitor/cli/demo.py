"""`safety-monitor demo`: a synthetic trial through the real daemon, on this machine alone."""

import asyncio
import signal
import time
from collections.abc import Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer


def demo(
    patients: Annotated[int, typer.Option(min=1, max=500, help="How many patients.")] = 51,
    days: Annotated[int, typer.Option(min=200, max=3_650, help="Days from the first enrolment to the end.")] = 730,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same trial.")] = 7,
    out: Annotated[Path, typer.Option(help="Where the demonstration's folder is made.")] = Path("out"),
) -> None:
    """Stream a synthetic trial through the real worker, on an embedded broker and SQLite, and tell what came of it.

    Needs the extra `demo`. Ends with 0 only if everything that it promises holds.
    """
    from rich.console import Console

    from monitor.cli.demonstration.play import play
    from monitor.cli.demonstration.stage import make_folder

    console = Console()
    began = time.monotonic()
    folder = make_folder(out, datetime.now().astimezone())
    console.print(f"{patients} patients, {days} days, seed {seed}; everything goes to {folder}", soft_wrap=True)
    kept = _until_told(play(folder, patients, days, seed, console))
    console.print(f"{time.monotonic() - began:.0f} s in all", highlight=False)
    if not kept:
        raise typer.Exit(1)


def _until_told(work: Coroutine[Any, Any, bool]) -> bool:
    """Run to the end, or until SIGINT or SIGTERM: what was started is then stopped too. Raises KeyboardInterrupt."""

    async def run() -> bool:
        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(run())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
