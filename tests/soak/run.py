"""A soak: the real worker under load, its memory looked at all the while: `make soak MINUTES=10`.

Patients come and leave, so that memory which grows is memory that is not let go; with ACTIVE=10000 all stay, and it
grows by their histories. It stops by itself. The exit code is 1 if memory grew or passed 512 MiB, if messages were left
behind, or if the log does not verify.
"""

import argparse
import asyncio
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from monitor.embedded import embedded_broker
from tests.soak.judging import MB, Memory, Sample, memory_of
from tests.soak.load import AHEAD, Ward, send
from tests.support.broker import with_topics
from tests.support.postgres import PostgresCluster, find_programs
from tests.support.worker import COMMAND, WorkerProcess, worker_process

EVERY = 5.0  # seconds between two looks
SHOWN = 6  # looks a line of the table stands for
DRAIN = 90.0  # seconds for what is on its way when the load ends
WARM = 0.2  # of the time after the load has become the same: caches fill
PAGE = os.sysconf("SC_PAGE_SIZE")
RECORDED = re.compile(r"^safety_messages_total\{.*\} (\S+)$", re.MULTILINE)


def main() -> int:
    """Run the soak that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--active", type=int, default=1_000, help="patients who have results at a time")
    parser.add_argument(
        "--rate", type=float, default=40.0, help="messages a second, which the machine must keep up with"
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safety-soak-")))
        url = stack.enter_context(_database(asked.database, scratch))
        broker = with_topics(stack.enter_context(embedded_broker()))
        often = {"VERIFY_NEW_EVERY": "150"}  # so that it has done all that it ever does before memory is judged
        others = {"CLOCK": "system", "BROKER_KIND": "tansu", **often}
        worker = stack.enter_context(worker_process(broker, url, scratch, **others))
        worker.run("database", "upgrade")
        worker.start_ready()
        samples, warm_at = asyncio.run(_soaked(worker, asked))
        worker.stop()
        _draw(samples)
        return _judged(samples, warm_at, _verified(worker))


async def _soaked(worker: WorkerProcess, asked: argparse.Namespace) -> tuple[list[Sample], float]:
    """Load, look, and wait for what is on its way; the samples, and when the warm-up was over."""
    began = time.monotonic()
    until = began + asked.minutes * 60
    samples: list[Sample] = []
    settled_at = until

    def recorded() -> int:
        return samples[-1].recorded if samples else 0

    ward = Ward(asked.patients, asked.active, messages=round(asked.minutes * 60 * asked.rate))
    load = asyncio.create_task(send(worker.settings, ward, asked.rate, until, recorded, asked.seed))
    total = 0
    while time.monotonic() < until + DRAIN:
        done = load.done()
        count = await asyncio.to_thread(_recorded, worker)
        total = load.result() if done else total
        samples.append(Sample(time.monotonic() - began, _resident(worker), total if done else count, count))
        if count >= ward.settled and settled_at == until:
            settled_at = time.monotonic()
        if done and count >= total:
            break
        await asyncio.sleep(EVERY)
    return samples, settled_at - began + WARM * (until - settled_at)


def _recorded(worker: WorkerProcess) -> int:
    return int(sum(float(found) for found in RECORDED.findall(worker.fetch("metrics"))))


def _resident(worker: WorkerProcess) -> int:
    assert worker.process is not None
    return int(Path(f"/proc/{worker.process.pid}/statm").read_text().split()[1]) * PAGE


def _verified(worker: WorkerProcess) -> str:
    done = subprocess.run([COMMAND, "verify"], env=worker.environment, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or f"exit {done.returncode}"


@contextmanager
def _database(kind: str, scratch: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{scratch / 'log.db'}"
        return
    programs = find_programs()
    if programs is None:
        sys.exit("no soak: PostgreSQL's programs are not installed")
    cluster = PostgresCluster(programs)
    try:
        cluster.start()
        cluster.sql("CREATE DATABASE soak")
        yield f"postgresql://postgres@127.0.0.1:{cluster.port}/soak"
    finally:
        cluster.remove()


def _draw(samples: list[Sample]) -> None:
    """Print the curve."""
    print(f"{'seconds':>8} {'recorded':>9} {'resident MB':>12}")
    for sample in samples[::SHOWN]:
        bar = "#" * round(sample.resident / (8 * MB))
        print(f"{sample.at:>8.0f} {sample.recorded:>9} {sample.resident / MB:>12.1f} {bar}", flush=True)


def _judged(samples: list[Sample], warm_at: float, broken: str) -> int:
    """Print the verdict; the exit code."""
    memory = memory_of(samples, warm_at)
    left = samples[-1].lag
    wrong = _wrong(memory, left, broken)
    print(
        f"{samples[-1].recorded} messages recorded, at most {AHEAD} on their way, {left} left behind; resident memory "
        f"at most {memory.peak / MB:.0f} MB; from {warm_at:.0f} s on {memory.mean / MB:.0f} MB in the mean, "
        f"{memory.slope * 60 / MB:+.2f} MB a minute ({memory.drift:+.1%} over {memory.span:.0f} s); "
        f"{'; '.join(wrong) if wrong else 'flat, and the log verifies'}"
    )
    return 1 if wrong else 0


def _wrong(memory: Memory, left: int, broken: str) -> list[str]:
    wrong = []
    if not memory.flat:
        wrong.append("memory grows")
    if not memory.small:
        wrong.append("more than 512 MiB")
    if left:
        wrong.append("messages were left behind")
    return [*wrong, broken] if broken else wrong


if __name__ == "__main__":
    sys.exit(main())
