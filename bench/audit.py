"""What the audit log costs: append, verify, prove. `make bench-audit`; figures of one core, a row each.

Under each pass of `verify` stand its parts that are libraries' alone, with nothing compared or derived: they bound it.

    python bench/audit.py [--records N] [--url postgresql://...]

Records are like a trial's: 51 patients, payloads of 330 bytes. `verify` is measured in processor time too, which other
programs on the machine change less. Decisions are derived again for a synthetic trial, recorded as a worker does.
"""

import argparse
import asyncio
import gc
import os
import resource
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from monitor.audit.batch import Batch
from monitor.audit.checker import Broken, Checker
from monitor.audit.clock import clocks
from monitor.audit.integrity import check_log
from monitor.audit.kinds import CLOCK_TICKED, patient_of, patient_stream
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.anchors import Anchors
from monitor.audit.proof.checkpoint import read_checkpoint
from monitor.audit.proof.compact import CompactRange
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.merkle import includes, inclusion_spans
from monitor.audit.proof.proving import check_proof, prove_consistency, prove_inclusion
from monitor.audit.proof.store import ProofStore
from monitor.audit.proof.tree import TreeReader
from monitor.audit.records import NewRecord
from monitor.audit.rederiving import check_decisions
from monitor.audit.schema import upgrade
from monitor.audit.stored import Stored, envelope
from monitor.cli.side_by_side import side_by_side
from monitor.events.codec import restore
from monitor.generate.trial import generate_trial
from tests.audit.rig import PROTOCOL, record_by_events_clock

START: Final = datetime(2025, 6, 12, 3, 20, 11, tzinfo=UTC)
AT_ONCE: Final = 1_000
PATIENTS: Final = 51
FILLING: Final = "x" * 290
CHECKPOINT_EVERY: Final = 20_000
WARM: Final = 10_000
SEED: Final = 1


def record(number: int) -> NewRecord:
    """The n-th fact."""
    return NewRecord(
        stream=patient_stream(f"SH-{number % PATIENTS:03}"),
        kind="safety.lab.resulted.v1",
        payload=f'{{"filling":"{FILLING}","number":{number}}}',
        known_at=START + timedelta(seconds=number),
        actor="/shgh/lis",
        dedupe_key=f"{number:064x}",
    )


async def fill(log: SqlAuditLog, maker: CheckpointMaker, count: int) -> float:
    """Append records with a checkpoint now and then; the seconds it took."""
    began = time.perf_counter()
    for first in range(0, count, AT_ONCE):
        await log.append(Batch(recorded_at=START, records=tuple(map(record, range(first, first + AT_ONCE)))))
        if (first + AT_ONCE) % CHECKPOINT_EVERY == 0:
            await maker.make(START)
    return time.perf_counter() - began


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of the processor, checkpoints held, and megabytes that the rest took beyond the first
    `WARM` records.
    """

    wall: float
    processor: float
    checkpoints: int
    grown: float


async def verified(log: SqlAuditLog, anchors: Anchors, *, since: int = 0) -> Cost:
    """What one pass over the log costs."""
    wall, processor = time.perf_counter(), time.process_time()
    checker, warm = Checker(), 0.0
    async for found in check_log(log, checker, anchors, since=since):
        if isinstance(found, Broken):
            raise SystemExit(f"the bench's own log is broken: {found}")
        if not warm and found >= WARM:
            warm = resident()
    taken = time.perf_counter() - wall, time.process_time() - processor
    return Cost(*taken, checker.checkpoints, resident() - warm)


def resident() -> float:
    """The process's memory in megabytes, now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def parts(log: SqlAuditLog, count: int) -> None:
    """What the driver takes to read the records, and what SHA-256 takes on their bytes: five a record."""
    read = hashed = 0.0
    began = time.process_time()
    async for page in log.stored():
        read += time.process_time() - began
        payloads = [row[13].encode() + row[14] for row in page]
        envelopes = [b"\x00" + envelope(Stored._make(row)) for row in page]
        links = [b"\x02" + row[17] + row[18] for row in page]
        began = time.process_time()
        for texts in (payloads, envelopes, links, links, links):  # a running hash and a node are as long as a link
            for text in texts:
                sha256(text).digest()
        hashed += time.process_time() - began
        began = time.process_time()
    told("  the driver alone, by processor time", f"{count / read:,.0f} records/s")
    told("  five SHA-256 a record alone, by processor time", f"{count / hashed:,.0f} records/s")


async def timed(what: str, work: Awaitable[object]) -> None:
    """Print how long one piece of work took."""
    began = time.perf_counter()
    await work
    told(what, f"{(time.perf_counter() - began) * 1000:,.1f} ms")


def told(what: str, figure: str) -> None:
    """One row."""
    print(f"{what:<58}{figure:>22}", flush=True)


def tree(count: int) -> None:
    """The tree alone, in memory."""
    leaves = [number.to_bytes(32) for number in range(1_000)]
    began = time.process_time()
    growing = CompactRange()
    for _ in range(count // 1_000):
        for leaf in leaves:
            growing.append(leaf)
    told("tree: leaves appended in memory", f"{growing.size / (time.process_time() - began):,.0f}/s")


async def run(url: str, count: int) -> None:
    """All of it on one database."""
    key = SigningKey.generate("example.org/bench")
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    store = ProofStore(log)
    took = await fill(log, CheckpointMaker(store, [key]), count)
    told(f"append, {AT_ONCE} at once, and checkpoints", f"{count / took:,.0f} records/s")
    await timed("checkpoint by a maker that starts anew", _again(log, store, key))
    gc.set_threshold(100_000)  # as `verify` does
    await log.close()
    log = await SqlAuditLog.open(url, writing=False)
    store = ProofStore(log)
    cost = await verified(log, Anchors((), store, [key.verifier]))
    told(f"verify: hashes, gaps, chains, tree, {cost.checkpoints} checkpoints", f"{count / cost.wall:,.0f} records/s")
    told("  by processor time", f"{count / cost.processor:,.0f} records/s")
    told(f"  memory from {WARM:,} to {count:,} records", f"{cost.grown:+,.1f} MB")
    await parts(log, count)
    cost = await verified(log, Anchors((), store, [key.verifier]), since=count)
    told("verify --since the newest checkpoint", f"{count / cost.wall:,.0f} records/s")
    await proofs(store, key, count)
    await log.close()


async def _again(log: SqlAuditLog, store: ProofStore, key: SigningKey) -> None:
    await log.append(Batch(recorded_at=START, records=(record(10**9),)))
    await CheckpointMaker(store, [key]).make(START)


async def decisions(url: str) -> None:
    """A synthetic trial's decisions, derived again from its facts."""
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    lines = [line.text.encode() for line in generate_trial(PATIENTS, SEED).lines]
    await record_by_events_clock(log, lines, at_once=AT_ONCE)
    streams = {record.stream async for record in log.read()}
    swept, head = clocks(await log.positions()), await log.head()
    facts = [record async for record in log.read() if patient_of(record.stream) and record.kind != CLOCK_TICKED]
    began = time.process_time()
    found = await check_decisions(log, PROTOCOL, streams, until=head.sequence, swept=swept)
    took = time.process_time() - began
    if found.differs or found.undecided:
        raise SystemExit(f"the bench's own decisions do not hold: {found}")
    told(f"verify: {found.decisions} decisions of {found.patients} patients", f"{len(facts) / took:,.0f} events/s")
    began = time.process_time()
    for stream in streams:
        for record in await log.stream(stream):
            if patient_of(stream) and record.kind != CLOCK_TICKED:
                restore(record.payload)
    told("  read, opened and decoded alone", f"{len(facts) / (time.process_time() - began):,.0f} events/s")
    jobs = os.cpu_count() or 1
    with side_by_side(jobs) as aside:
        began = time.perf_counter()
        await check_decisions(log, PROTOCOL, streams, until=head.sequence, swept=swept, aside=aside)
        took = time.perf_counter() - began
    told(f"  by the clock, in {jobs} processes, their start too", f"{len(facts) / took:,.0f} events/s")
    await log.close()


async def proofs(store: ProofStore, key: SigningKey, count: int) -> None:
    """Proofs with the cached tiles, and without them."""
    await timed("prove a record", prove_inclusion(store, count // 3))
    first = await store.checkpoint(CHECKPOINT_EVERY)
    newest = await store.newest()
    if first is None or newest is None:
        raise SystemExit("too few records for a checkpoint")
    old, new = read_checkpoint(first.note), read_checkpoint(newest.note)
    await timed("prove consistency with an old checkpoint", prove_consistency(store, old, new))
    await timed("a path from the leaves alone", TreeReader(store, cached=False).path(inclusion_spans(5, new.size)))
    proof = await prove_inclusion(store, 7)
    began = time.process_time()
    for _ in range(500):
        check_proof(proof, [key.verifier])
    told("check a proof with its signature", f"{500 / (time.process_time() - began):,.0f}/s")
    path = await TreeReader(store).path(inclusion_spans(6, new.size))
    (leaf,) = [leaf async for page in store.leaves(6, 7) for leaf in page]
    began = time.process_time()
    if not all(includes(leaf, 6, new.size, path, new.root) for _ in range(5_000)):
        raise SystemExit("a path does not hold")
    told("check an inclusion path", f"{5_000 / (time.process_time() - began):,.0f}/s")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="What the audit log costs.")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--url", help="an empty database; by default a SQLite file that is thrown away")
    given = parser.parse_args()
    tree(200_000)
    with tempfile.TemporaryDirectory(prefix="safety-monitor-bench-") as folder:
        asyncio.run(run(given.url or f"sqlite:///{Path(folder) / 'log.db'}", given.records))
        asyncio.run(decisions(f"sqlite:///{Path(folder) / 'trial.db'}"))


if __name__ == "__main__":
    main()
