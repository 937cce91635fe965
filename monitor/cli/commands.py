"""Which words the command line knows and where each is written; a module is imported only when its word is said."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer

PACKAGE: Final = "safety-monitor"

# word -> "module:function", or word -> {second word -> "module:function"}
COMMANDS: Final[Mapping[str, str | Mapping[str, str]]] = {
    "demo": "monitor.cli.demo:demo",
    "worker": "monitor.cli.worker:worker",
    "doctor": "monitor.cli.doctor:doctor",
    "publish": "monitor.cli.publish:publish",
    "generate": "monitor.cli.generate:generate",
    "simulate": "monitor.cli.simulate:simulate",
    "verify": "monitor.cli.verify:verify",
    "export": "monitor.cli.export:export",
    "replay": "monitor.cli.replay:replay",
    "timeline": "monitor.cli.timeline:timeline",
    "explain": "monitor.cli.explain:explain",
    "diff": "monitor.cli.diff:diff",
    "alerts": "monitor.cli.alerts:alerts",
    "redact": "monitor.cli.redact:redact",
    "acknowledge": "monitor.cli.acknowledge:acknowledge",
    "shelve": "monitor.cli.acknowledge:shelve",
    "resolve": "monitor.cli.acknowledge:resolve",
    "quarantine": {
        "list": "monitor.cli.quarantine:show_list",
        "show": "monitor.cli.quarantine:show",
        "retry": "monitor.cli.quarantine:retry",
    },
    "protocol": {
        "activate": "monitor.cli.protocol:activate",
        "show": "monitor.cli.protocol:show",
        "check": "monitor.cli.protocol_words:check",
        "diff": "monitor.cli.protocol_words:diff",
    },
    "rules": "monitor.cli.rules:rules",
    "audit": {
        "keygen": "monitor.cli.audit:keygen",
        "checkpoint": "monitor.cli.audit:checkpoint",
        "prove": "monitor.cli.audit:prove",
        "consistency": "monitor.cli.audit:consistency",
        "check": "monitor.cli.audit:check",
    },
    "topics": {"apply": "monitor.cli.topics:apply", "adopt": "monitor.cli.topics:adopt"},
    "database": {"upgrade": "monitor.cli.database:upgrade", "rebuild": "monitor.cli.database:rebuild"},
}
GROUP_HELP: Final = {
    "quarantine": "The messages that were refused, and reading them again after a mend.",
    "protocol": "The protocol files of the log.",
    "audit": "Checkpoints of the log, and proofs that a stranger can check.",
    "topics": "The topics on the broker.",
    "database": "The schema of the log's database, and the tables made from the log.",
}


def application(arguments: Sequence[str]) -> typer.Typer:
    """Build the command line for these arguments: the one command that is named, or all of them to list them."""
    app = _typer()
    app.callback()(_describe)
    named = next((word for word in arguments if not word.startswith("-")), "")
    for word in [named] if named in COMMANDS else COMMANDS:
        target = COMMANDS[word]
        if isinstance(target, str):
            app.command(word)(_function(target))
        else:
            app.add_typer(_group(target), name=word, help=GROUP_HELP[word])
    return app


def _group(targets: Mapping[str, str]) -> typer.Typer:
    group = _typer()
    for word, target in targets.items():
        group.command(word)(_function(target))
    return group


def _typer() -> typer.Typer:
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _function(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PACKAGE} {version(PACKAGE)}")
        raise typer.Exit


def _describe(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Watch the safety of a clinical trial: events in from Kafka, alerts out to people, everything on the log."""
