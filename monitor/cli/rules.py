"""`safety-monitor rules`: every rule with its clause, reading, priority and inputs, from the code itself."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from monitor.core.context import Dependency
from monitor.core.finding import Rule
from monitor.core.rulebook import FINDERS, STOPS, all_rules
from monitor.events.catalogue import TYPES
from monitor.events.lab import Analyte
from monitor.notify.texts import text_for
from monitor.protocol.model import Protocol
from monitor.protocol.words import alternatives, fields, sentence

_HEAD = """# The rules

Written by `safety-monitor rules --format markdown --scenarios tests/scenarios`; change the code, not this page.
Protocol: {id}, version {version}. "Review: if in doubt" marks a rule whose alerts ask for review only when what they
rest on is provisional, incomplete or unknown.
"""
_REVIEW_IF_IN_DOUBT = ("report.susar-clock",)


def rules(
    protocol: Annotated[Path | None, typer.Option(help="Another protocol file.")] = None,
    scenarios: Annotated[Path | None, typer.Option(help="A folder of scenarios, to name those of each rule.")] = None,
    format: Annotated[Literal["text", "markdown"], typer.Option(help="What to print.")] = "text",  # noqa: A002
) -> None:
    """List every rule: its clause, reading, priority, review and inputs."""
    chosen = Protocol.load(protocol)
    if format == "text":
        for rule in all_rules().values():
            typer.echo(f"{rule.id:<28} {rule.priority:<7} {rule.clause:<22} {text_for(rule.id).title}")
    else:
        typer.echo(markdown(chosen, _scenarios(scenarios) if scenarios else {}), nl=False)


def markdown(protocol: Protocol, scenarios: Mapping[str, list[str]]) -> str:
    """The page docs/rules.md."""
    parts = [_HEAD.format(id=protocol.id, version=protocol.version)]
    parts += [_section(rule, protocol, scenarios.get(rule.id, [])) for rule in all_rules().values()]
    return "\n".join(parts)


def _section(rule: Rule, protocol: Protocol, scenarios: list[str]) -> str:
    text = text_for(rule.id)
    lines = [f"## {rule.id}", "", f"{text.means}", ""]
    lines.append(f"- Clause {rule.clause}: {protocol.clauses[rule.clause]}")
    if rule.reading:
        value = fields(protocol)[rule.reading]
        lines.append(f"- Reading: {sentence(rule.reading, value)} (`{rule.reading}: {value}`)")
        lines += [f"  - or: {other}" for other in alternatives(rule.reading, value)]
    lines.append(f"- Priority: {rule.priority}. Review: {_review(rule)}.")
    lines.append(f"- Reads: {', '.join(_inputs(rule))}")
    lines.append(f"- Scenarios: {', '.join(scenarios) or 'none'}")
    return "\n".join([*lines, ""])


def _review(rule: Rule) -> str:
    if rule.review:
        return "yes"
    latched = rule.id.startswith("stop.")
    return "if in doubt" if latched or rule.id in _REVIEW_IF_IN_DOUBT else "no"


def _inputs(rule: Rule) -> list[str]:
    """What the rule reads, in words, as its module declares it for the rulebook."""
    stops = {asked.find.__module__: asked.reads for asked in STOPS}
    finders = {asked.find.__module__: asked.reads for asked in FINDERS}
    first, second = (stops, finders) if rule.id.startswith("stop.") else (finders, stops)
    reads = next(reads for module, reads in (*first.items(), *second.items()) if _declares(module, rule))
    return sorted({_named(dependency) for dependency in reads})


def _declares(module: str, rule: Rule) -> bool:
    """Is the rule written in this module, and not only imported there?"""
    return f'Rule("{rule.id}"' in inspect.getsource(importlib.import_module(module))


def _named(dependency: Dependency) -> str:
    if isinstance(dependency, Analyte):
        return f"laboratory: {dependency.value.replace('_', ' ')}"
    if isinstance(dependency, str):
        return dependency.replace("_", " ")
    return next(f"`{name}`" for name, kind in TYPES.items() if kind.model is dependency)


def _scenarios(folder: Path) -> dict[str, list[str]]:
    """The scenarios that expect an alert of each rule, by name."""
    found: dict[str, list[str]] = {}
    for file in sorted(folder.glob("*.expect.json")):
        expected = json.loads(file.read_text())
        named = {a["rule"] for p in expected["patients"].values() for a in p.get("alerts", [])}
        for rule in sorted(named):
            found.setdefault(rule, []).append(file.name.removesuffix(".expect.json"))
    return found
