"""Makes the golden log of a release: small, of every kind of record, on both databases (test_golden.py reads it).

    python -m tests.audit.golden.make        once a release, by the program of that release; the files are then kept

Beside each log stands what its release said of it: the head, the root of the tree, and the events of each patient.
"""

import asyncio
import gzip
import json
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from monitor.audit import kinds
from monitor.audit.acts import act
from monitor.audit.batch import Batch, Position
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.store import ProofStore
from monitor.audit.redacting import planning
from monitor.audit.redacting.request import Request
from monitor.audit.replay import replay
from monitor.audit.schema import upgrade
from monitor.audit.verify import verify
from monitor.notify.announcing import Announcer
from monitor.notify.delivering import Deliverer
from monitor.notify.routing import ALERT_CHANNEL, Routing
from monitor.operations.telling import telling_of
from monitor.recorder.activating import activate, files_for
from monitor.recorder.inputs import Input
from monitor.recorder.recorder import Recorder
from tests.audit.export.rig import EVERYTHING, KEY, exported
from tests.audit.rig import PROTOCOL, SCENARIOS, HandClock, lines_of, messages_of, recorder, time_of
from tests.notify.fakes import FAILED, FakeObserver, FakePublisher, FakeSender
from tests.support.postgres import PostgresCluster, find_programs

FOLDER: Final = Path(__file__).parent
STORIES: Final = ("08", "13", "17", "24", "32", "36", "109", "137")  # of stops, restarts, corrections, refusals
SECOND_FILE: Final = PROTOCOL.model_copy(update={"version": f"{PROTOCOL.version}-second"})
ROUTING: Final = Routing.model_validate(
    {
        "format": 1,
        "recipients": {"officer": {"url": "json://127.0.0.1:9/"}, "stand-in": {"url": "json://127.0.0.1:9/"}},
        "priorities": {
            "high": {"recipients": ["officer"], "fallback": ["stand-in"]},
            "medium": {"recipients": ["officer"]},
            "low": {},
        },
    }
)
CHANNELS: Final = (*ROUTING.channels, ALERT_CHANNEL)  # copies of the quarantine stay in the outbox
AT_ONCE: Final = 50


def told() -> list[bytes]:
    """What is recorded: some stories, a patient each, and messages that nobody can read, by the time of issue."""
    lines = []
    for number, story in enumerate(STORIES, 1):
        [path] = [path for path in SCENARIOS if path.name.startswith(f"{story}-")]
        lines += [line.replace(b"SH-001", f"SH-{number:03}".encode()) for line in lines_of(path)]
    lines.sort(key=lambda line: str(time_of(line)))
    return [*lines, b"{not json", lines[3].replace(b"chimerism.resulted.v1", b"chimerism.guessed.v1")]


class Life:
    """A worker's, in small: records, sends, signs."""

    def __init__(self, log: SqlAuditLog, target: Recorder, announcer: Announcer, clock: HandClock) -> None:
        sender = FakeSender("officer", "stand-in")
        sender.answers("officer", FAILED)
        publisher, observer = FakePublisher(), FakeObserver()
        self._log, self._target, self._clock = log, target, clock
        tell = partial(telling_of, announcer)
        self._deliverer = Deliverer(log, sender, publisher, tell, clock, observer, chance=lambda: 0.5)
        self._maker = CheckpointMaker(ProofStore(log), [KEY])

    async def take(self, messages: list[Input]) -> None:
        for message in messages:
            self._clock.at = max(self._clock.at, time_of(message.value) or self._clock.at)
            await self._target.tick(self._clock.at)
            await self._target.record([message])
            await self.send()

    async def send(self) -> None:
        lease, now = timedelta(minutes=1), self._clock.at
        for row in await self._log.claim_outbox(limit=AT_ONCE, lease_for=lease, now=now, channels=CHANNELS):
            await self._deliverer.deliver([row])

    async def wait(self) -> None:
        """Let the clock's time come to pass."""
        await self._target.tick(self._clock.at)
        await self.send()

    async def sign(self) -> None:
        await self._maker.make(self._clock.at)


async def fill(url: str, folder: Path) -> dict[str, object]:
    """Make the log at `url`; what this release says of it."""
    await upgrade(url)
    log = await SqlAuditLog.open(url)
    messages, clock = list(messages_of(told())), HandClock()
    clock.at = time_of(messages[0].value) or clock.at
    announcer = Announcer(ROUTING, PROTOCOL.tz)
    half = len(messages) // 2
    first = await files_for(log, PROTOCOL, instance="worker-1", now=clock.at)
    life = Life(log, await recorder(log, clock, events_clock=False, files=first, outbound=announcer), announcer, clock)
    await life.take(messages[:half])
    await life.sign()
    await activate(log, SECOND_FILE, approved_by="investigator-1", why="a golden log", now=clock.at, events_clock=False)
    second = await files_for(log, SECOND_FILE, instance="worker-1", now=clock.at)
    life = Life(log, await recorder(log, clock, events_clock=False, files=second, outbound=announcer), announcer, clock)
    await life.take(messages[half:])
    await redact(log, "patient/SH-003", clock.at)
    clock.at += timedelta(days=400)  # windows run out, reminders come
    await life.wait()
    made = await exported(log, folder / "export", EVERYTHING, made_at=clock.at)
    read = act(
        kinds.LOG_READ, {"command": "timeline", "patient": "SH-001", "asked": {}}, actor="monitor-3", at=clock.at
    )
    await log.append(Batch(recorded_at=clock.at, records=(made.record, read)))
    adopted = act(
        kinds.POSITIONS_ADOPTED,
        {"positions": [], "approved_by": "operator-2", "why": "-"},
        actor="operator-2",
        at=clock.at,
    )
    await log.adopt_positions(
        {("safety.lab", 0): Position(next_offset=1)}, Batch(recorded_at=clock.at, records=(adopted,))
    )
    await life.sign()
    said = await _said(log)
    await log.close()
    return said


async def redact(log: SqlAuditLog, stream: str, now: datetime) -> None:
    """Erase what people wrote in the last fact of a stream."""
    last = [record for record in await log.stream(stream) if record.origin is not None][-1]
    plan = await planning.of_record(log, PROTOCOL, last.sequence, Request("a name was entered", "officer-3", now))
    await log.erase(plan.erasure)


async def _said(log: SqlAuditLog) -> dict[str, object]:
    verdict = await verify(log, PROTOCOL)
    if verdict.broken or verdict.differs or verdict.undecided:
        raise SystemExit(f"a golden log must be whole: {verdict}")
    head = await log.head()
    patients = (await replay(log, PROTOCOL)).patients
    newest = await ProofStore(log).newest()
    return {
        "head": {"sequence": head.sequence, "running_hash": head.running_hash.hex()},
        "checkpoint": newest.note if newest else None,
        "decisions": verdict.decisions,
        "events": {name: patients[name].events for name in sorted(patients)},
        "kinds": sorted({record.kind async for record in log.read()}),
    }


def packed(content: bytes, name: str) -> None:
    (FOLDER / f"{name}.gz").write_bytes(gzip.compress(content, mtime=0))


def on_sqlite(release: str, folder: Path) -> None:
    said = asyncio.run(fill(f"sqlite:///{folder / 'log.db'}", folder))
    with closing(sqlite3.connect(folder / "log.db")) as source:
        source.execute(f"VACUUM INTO '{folder / 'copy.db'}'")
    packed((folder / "copy.db").read_bytes(), f"{release}.sqlite")
    (FOLDER / f"{release}.sqlite.json").write_text(json.dumps(said, indent=1) + "\n")


def on_postgresql(release: str, folder: Path) -> None:
    programs = find_programs()
    if programs is None:
        raise SystemExit("PostgreSQL's programs are not installed")
    cluster = PostgresCluster(programs)
    try:
        cluster.start()
        url = cluster.database()
        said = asyncio.run(fill(url, folder))
        dump = [str(programs / "pg_dump"), "--no-owner", "--no-privileges", url]
        lines = subprocess.run(dump, check=True, capture_output=True).stdout.splitlines(keepends=True)
    finally:
        cluster.remove()
    # Newer programs guard a dump by words that an older psql does not know.
    packed(b"".join(line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict"))), f"{release}.sql")
    (FOLDER / f"{release}.sql.json").write_text(json.dumps(said, indent=1) + "\n")


def main() -> None:
    """Make both, unless they are there: a golden log is never made again."""
    release = version("safety-monitor")
    if list(FOLDER.glob(f"{release}.*")):
        raise SystemExit(f"the golden logs of {release} are there already: they are kept as they are")
    for make in (on_sqlite, on_postgresql):
        with tempfile.TemporaryDirectory() as folder:
            make(release, Path(folder))


if __name__ == "__main__":
    main()
