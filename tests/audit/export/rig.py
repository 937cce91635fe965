"""Makes logs and exports for the tests, and asks both verifiers of an export what they find."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.audit.export.making import Made, Request, make
from monitor.audit.export.offline import verify_export
from monitor.audit.export.selection import Filters
from monitor.audit.export.verifier import BrokenError, Verifier
from monitor.audit.export.writing import hand_over, workplace
from monitor.audit.kinds import PROTOCOLS, SYSTEM, alert_stream
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.store import ProofStore
from tests.audit.given import at, batch, fact

KEY = SigningKey("example.org/trial", bytes(range(32)))
EVERYTHING = Filters()
MADE_AT = at(99)
CHANGE = '{"alert":{"alert_id":"a-%d","rule":"stop.relapse","status":"firing","summary":"=1+1"},"change":"raised"}'


async def filled(log: SqlAuditLog, rounds: int = 10) -> None:
    """Four records a round, a minute apart, of patients, system and protocol; a checkpoint now and then."""
    maker = CheckpointMaker(ProofStore(log), [KEY])
    for number in range(rounds):
        patient = f"P{number % 3}"
        records = [
            fact(patient, number, actor='\u4e0a\u6d77, "ward" 3\nnight'),
            fact(patient, number, kind="safety.mrd.resulted.v1", payload='{"note":"\u2028 =cmd"}'),
            fact(patient, number, stream=alert_stream(patient), kind="safety.alert.raised.v1", payload=CHANGE % number),
            fact(stream=PROTOCOLS if number == 5 else SYSTEM, number=number, payload=f'{{"patient":"{patient}"}}'),
        ]
        await log.append(batch(*records, recorded_at=at(number)))
        if number % 4 == 1:
            await maker.make(at(number))


async def exported(log: SqlAuditLog, out: Path, filters: Filters = EVERYTHING, *, made_at: datetime = MADE_AT) -> Made:
    """An export in `out`."""
    request = Request(filters=filters, actor="inspector-7", made_at=made_at, keys=[KEY.verifier])
    with workplace(out) as folder:
        made = await make(log, folder, request)
        hand_over(folder, out)
    return made


@dataclass(frozen=True)
class Found:
    """What a verifier says of an export: nothing broken, or what, and in which record."""

    broken: str | None
    sequence: int | None = None


def by_script(export: Path) -> Found:
    """The verifier that goes with an export, within this process."""
    return _found(lambda: Verifier(export).verify())


def by_program(export: Path) -> Found:
    """`verify --export`."""
    return _found(lambda: verify_export(export, ()))


def by_both(export: Path) -> Found:
    """What both find; they must agree on what is broken and where."""
    script, program = by_script(export), by_program(export)
    assert (script.broken is None) == (program.broken is None), (script, program)
    assert script.sequence == program.sequence, (script, program)
    return script


def run_script(export: Path, *arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """The verifier of an export as an inspector runs it: a process that cannot import anything of ours."""
    command = [python, "-I", "-S", str(export / "verify.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=export.parent, timeout=60)


def _found(verify: Callable[[], object]) -> Found:
    try:
        verify()
    except BrokenError as error:
        return Found(str(error), error.sequence)
    return Found(None)


def lines_of(path: Path) -> list[bytes]:
    """The lines of a file, ends included."""
    with path.open("rb") as file:
        return list(file)


def write_lines(path: Path, lines: Sequence[bytes]) -> None:
    """Put these lines in the place of a file's."""
    path.write_bytes(b"".join(lines))
