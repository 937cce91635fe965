"""`safety-monitor doctor`: is everything there that a worker needs, and what is to be done where it is not."""

import asyncio
import logging
from typing import Annotated

import typer

from monitor.cli.doctoring import broker, channels, database, house
from monitor.cli.doctoring.symptom import State, Symptom, page
from monitor.settings import Settings, load_settings

UNWELL = 1


def doctor(
    send: Annotated[bool, typer.Option("--send", help="Send a test notice to every recipient.")] = False,
) -> None:
    """Check broker, database, channels, clock and protocol file; say what is wrong and how to mend it.

    Nothing is changed. Exit 1 if a worker could not do its work.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it complains of stands on the page
    symptoms = asyncio.run(look(load_settings(), send=send))
    for line in page(symptoms):
        typer.echo(line)
    found = [sum(each.state is state for each in symptoms) for state in (State.WRONG, State.DOUBT)]
    typer.echo(f"{found[0]} wrong, {found[1]} in doubt")
    if found[0]:
        raise typer.Exit(UNWELL)


async def look(settings: Settings, *, send: bool = False) -> list[Symptom]:
    """All parts, one after another, each once."""
    return [
        *await database.look(settings),
        *await broker.look(settings),
        *await channels.look(settings, send=send),
        await house.look_at_protocol(settings),
        *house.look_at_checkpoints(settings),
        await house.look_at_http(settings),
        await house.look_at_heartbeat(settings),
    ]
