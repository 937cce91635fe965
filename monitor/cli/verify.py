"""`safety-monitor verify`: is the log whole, and are its decisions those its facts lead to?"""

import asyncio
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.anchors import Anchor, Anchors, anchors_in
from monitor.audit.proof.keys import VerifierKey
from monitor.audit.proof.store import ProofStore
from monitor.audit.verdict import Verdict
from monitor.audit.verify import verify as verify_log
from monitor.cli.audit import verifier_keys
from monitor.cli.side_by_side import side_by_side
from monitor.cli.verify_export import verified_export
from monitor.errors import UsageError
from monitor.protocol.model import Protocol
from monitor.settings import Settings, load_settings

BROKEN = 1
COLLECT_AFTER = 100_000  # objects: rows come by the million and hold no cycles, so looking for them costs a fifth
SHOWN = 20  # differences: enough to see what they have in common


def verify(
    protocol: Annotated[Path | None, typer.Option(help="The protocol file that was in force.")] = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A file of checkpoints that the log must agree with; may be given again.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option(help="A checkpoint that is trusted: what it counts is checked by its leaves alone.")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="Keyring file: verifier keys of the checkpoints.")] = None,
    export: Annotated[
        Path | None, typer.Option(help="An export (folder or zip) instead of the log: no database is needed.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that derive the decisions, of some 100 MB each.")] = 1,
) -> None:
    """Re-derive every hash and every decision; exit 1 and name the first broken record."""
    if export is not None:
        if checkpoint or since:
            raise UsageError(
                "an export is held against the checkpoints in it: --checkpoint and --since are for the log"
            )
        _verify_export(export, keys, protocol, jobs)
        return
    gc.set_threshold(COLLECT_AFTER)
    settings = load_settings()
    known = verifier_keys(settings, keys)
    trusted = _newest(since, known) if since else None
    outside = [anchor for path in _files(settings, checkpoint or (), since) for anchor in anchors_in(path, known)]
    chosen = Protocol.load(protocol or settings.protocol)
    verdict = asyncio.run(_verify(settings, chosen, outside, known, trusted.size if trusted else 0, jobs))
    for line in told(verdict, signatures=bool(known)):
        typer.echo(line, err=verdict.tampered)
    if verdict.tampered:
        raise typer.Exit(BROKEN)


def told(verdict: Verdict, *, signatures: bool = True) -> list[str]:
    """The verdict in plain words; `signatures`: were those of the checkpoints looked at?"""
    if verdict.broken is not None:
        return [f"BROKEN: {verdict.broken}"]
    lines = []
    if verdict.checkpoints:
        unsure = "" if signatures else " (signatures not checked: no keyring)"
        lines.append(f"{verdict.checkpoints} checkpoints agree with the log{unsure}")
    if verdict.redacted:
        lines.append(f"{verdict.redacted} records are redacted, each by a record that says who did it and why")
    if verdict.returned:
        lines.append(f"{verdict.returned} redacted records can be READ AGAIN: run `safety-monitor redact --again`")
    *differences, summary = told_decisions(verdict)
    return [*differences, *lines, f"{verdict.records} records whole; {summary}"]


def told_decisions(verdict: Verdict) -> list[str]:
    """What became of the decisions, in plain words; a summary is the last line."""
    lines = [f"{'DIFFERS under newer rules' if each.newer else 'DIFFERS'}: {each}" for each in verdict.differs[:SHOWN]]
    if len(verdict.differs) > SHOWN:
        lines.append(f"... and {len(verdict.differs) - SHOWN} more")
    if verdict.undecided:
        lines.append(f"not re-derivable: {verdict.undecided} patients (another protocol file, or a failing assessment)")
    if verdict.erased:
        lines.append(f"not re-derivable: redacted: {verdict.erased} patients of whom something was erased whole")
    how = "differ in places" if verdict.differs else "as their facts lead to"
    return [*lines, f"{verdict.decisions} decisions of {verdict.patients} patients {how}"]


def _verify_export(path: Path, keys: Path | None, protocol: Path | None, jobs: int) -> None:
    lines, verdict = verified_export(path, keys, protocol, jobs)
    tampered = verdict is not None and verdict.tampered
    if verdict is not None:
        lines += told_decisions(verdict)
    typer.echo("\n".join(lines), err=tampered)
    if tampered:
        raise typer.Exit(BROKEN)


def _files(settings: Settings, given: Sequence[Path], since: Path | None) -> list[Path]:
    """Files to hold the log against: those given, and the one that this worker adds to."""
    own = settings.checkpoint_file
    found = [*given, *([since] if since else []), *([own] if own is not None and own.exists() else [])]
    return list(dict.fromkeys(found))


def _newest(file: Path, known: Sequence[VerifierKey]) -> Anchor:
    if not known:
        raise UsageError("--since trusts a checkpoint, so its signature must be checked: give --keys FILE")
    return max(anchors_in(file, known), key=lambda anchor: anchor.size)


async def _verify(
    settings: Settings,
    protocol: Protocol,
    outside: Sequence[Anchor],
    known: Sequence[VerifierKey],
    since: int,
    jobs: int,
) -> Verdict:
    log = await SqlAuditLog.open(settings.log_url, writing=False)
    try:
        with Progress(console=Console(stderr=True), transient=True) as bar, side_by_side(jobs) as aside:
            task = bar.add_task("records", total=(await log.head()).sequence)
            anchors = Anchors(outside, ProofStore(log), known)
            return await verify_log(
                log, protocol, lambda done: bar.update(task, completed=done), anchors, since=since, aside=aside
            )
    finally:
        await log.close()
