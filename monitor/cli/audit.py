"""`safety-monitor audit`: keys and checkpoints of the log, and proofs that a stranger can check."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.checkpoint import SignedCheckpoint, read_checkpoint
from monitor.audit.proof.keyfile import add_secret, read_secret, write_secret
from monitor.audit.proof.keys import SigningKey, VerifierKey, keyring, signing_keys
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.note import split
from monitor.audit.proof.proving import check_proof, prove_consistency, prove_inclusion
from monitor.audit.proof.publishing import append_to_file, newest_in, read_file
from monitor.audit.proof.store import ProofStore
from monitor.clock import WallClock
from monitor.errors import UsageError
from monitor.settings import Settings, load_settings

T = TypeVar("T")

KeysOption = Annotated[Path | None, typer.Option(help="Keyring file: verifier keys, one a line.")]


def keygen(
    out: Annotated[Path, typer.Option(help="The key file to make; readable by its owner alone.")],
    name: Annotated[str | None, typer.Option(help="The origin of the log, such as example.org/trial.")] = None,
    add: Annotated[bool, typer.Option("--add", help="Add a key to the file: from then on both sign.")] = False,
) -> None:
    """Make a key that signs checkpoints, and print the verifier key that auditors keep."""
    if add:
        held = signing_keys(read_secret(out))
        if name not in {None, held[0].name}:
            raise UsageError(f"the keys of {out} are of {held[0].name}: another name would be another log")
        key = SigningKey.generate(held[0].name)
        add_secret(out, f"{key.line}\n")
    else:
        key = SigningKey.generate(name or f"{socket.gethostname()}/safety-monitor")
        write_secret(out, f"{key.line}\n")
    typer.echo(key.verifier.line)


def checkpoint(
    make: Annotated[bool, typer.Option("--make", help="Sign the head of the log now, if anything is new.")] = False,
) -> None:
    """Print the newest signed checkpoint."""
    settings = load_settings()
    if make:
        _with_store(settings, lambda store: _make(settings, store), writing=True)
    newest = _with_store(settings, lambda store: store.newest())
    if newest is None:
        raise UsageError("there is no checkpoint yet: set SAFETY_MONITOR_CHECKPOINT_KEY, see `audit keygen`")
    typer.echo(newest.note, nl=False)


def prove(
    sequence: Annotated[int, typer.Argument(min=1, help="The record's number in the log.")],
    payload: Annotated[bool, typer.Option("--payload", help="With the record's payload: patients' data.")] = False,
) -> None:
    """Prove by JSON that a record stands in the log where it does."""
    settings = load_settings()
    _print(_with_store(settings, lambda store: prove_inclusion(store, sequence, with_payload=payload)))


def consistency(
    old: Annotated[str, typer.Argument(help="The older checkpoint: a file, or its size.")],
    new: Annotated[str, typer.Argument(help="The newer checkpoint: a file, or its size.")],
) -> None:
    """Prove by JSON that nothing before the older checkpoint was changed until the newer."""

    async def work(store: ProofStore) -> dict[str, Any]:
        return await prove_consistency(store, await _named(store, old), await _named(store, new))

    _print(_with_store(load_settings(), work))


def check(
    file: Annotated[Path, typer.Argument(help="A proof, or a file of checkpoints.")],
    keys: KeysOption = None,
    key: Annotated[list[str] | None, typer.Option(help="A verifier key; may be given again.")] = None,
) -> None:
    """Check a proof or checkpoints offline: no log, no database, no network; exit 1 if they do not hold."""
    known = [VerifierKey.parse(line) for line in key or ()] or verifier_keys(load_settings(), keys)
    if not known:
        raise UsageError("no key to check with: give --keys FILE, --key KEY or SAFETY_MONITOR_CHECKPOINT_KEYRING")
    text = _text(file)
    if text.lstrip().startswith("{"):
        typer.echo(check_proof(_json(file, text), known))
        return
    for note in split(text):
        signed = read_checkpoint(note)
        names = ", ".join(each.line for each in signed.check(known))
        typer.echo(f"{signed.checkpoint.origin}: {signed.size} records, root {signed.root.hex()}, signed by {names}")


def verifier_keys(settings: Settings, given: Path | None = None) -> Sequence[VerifierKey]:
    """The keys to check with: those given, else of the keyring, else those that belong to the signing keys."""
    if (ring := given or settings.checkpoint_keyring) is not None:
        return read_keyring(ring)
    if settings.checkpoint_key is not None:
        return [key.verifier for key in signing_keys(read_secret(settings.checkpoint_key))]
    return ()


def read_keyring(file: Path) -> Sequence[VerifierKey]:
    """The keys of a keyring file. Raises UsageError."""
    return keyring(_text(file))


async def _make(settings: Settings, store: ProofStore) -> None:
    if settings.checkpoint_key is None:
        raise UsageError("no key to sign with: set SAFETY_MONITOR_CHECKPOINT_KEY to a file of `audit keygen`")
    keys = signing_keys(read_secret(settings.checkpoint_key))
    file = settings.checkpoint_file
    made = await CheckpointMaker(store, keys, lambda: newest_in(file)).make(WallClock().now())
    if made is not None and file is not None:
        append_to_file(file, made)


async def _named(store: ProofStore, what: str) -> SignedCheckpoint:
    if not what.isdecimal():
        found = read_file(Path(what))
        if len(found) != 1:
            raise UsageError(f"{what} holds {len(found)} checkpoints where one is meant: name it by its size")
        return found[0]
    kept = await store.checkpoint(int(what))
    if kept is None:
        raise UsageError(f"there is no checkpoint of {what} records; `audit checkpoint` shows the newest")
    return read_checkpoint(kept.note)


def _with_store(settings: Settings, work: Callable[[ProofStore], Awaitable[T]], *, writing: bool = False) -> T:
    async def run() -> T:
        log = await SqlAuditLog.open(settings.log_url, writing=writing)
        try:
            return await work(ProofStore(log))
        finally:
            await log.close()

    return asyncio.run(run())


def _print(proof: dict[str, Any]) -> None:
    typer.echo(json.dumps(proof, indent=1, ensure_ascii=False))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {type(error).__name__}") from None


def _json(file: Path, text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError:
        raise UsageError(f"{file} is no JSON") from None
