"""What the fuzzer sends through the doors, and what must hold of every input: an answer, and never an exception.

Inputs are bytes that a person can read and write: a message is its value, or headers (`name: value`, one a line), an
empty line and the value; a history is lines of events.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from monitor.cli.simulate import text
from monitor.core.simulation import Simulation
from monitor.events.codec import decode, restore
from monitor.events.envelope import ClockAdvanced, Reason, Received, Refused
from monitor.protocol.model import Protocol

SITE: Final = ZoneInfo("Asia/Shanghai")
PROTOCOL: Final = Protocol.load()
BETWEEN: Final = b"\n\n"  # headers and value


def codec(raw: bytes) -> None:
    """A message is a fact, a step of the clock, or refused with a reason and told what to do; the log gives it back."""
    head, found, value = raw.partition(BETWEEN)
    headers = _headers(head) if found else ()
    answer = decode(value if found else raw, headers=headers, site_timezone=SITE)
    if isinstance(answer, ClockAdvanced):
        return
    assert isinstance(answer, Received | Refused)
    if isinstance(answer, Refused):
        assert answer.reason in Reason
        assert answer.detail.isprintable(), answer.detail
        assert "our fault" not in answer.detail, answer.detail
    answer.stored.encode()
    assert restore(answer.stored) == answer


def simulate(raw: bytes) -> None:
    """Every history is assessed to its end, printed for people and machines, and gives the same bytes again."""
    lines = raw.splitlines()
    result = _simulated(lines)
    assert result == _simulated(lines)
    for refused in json.loads(result)["quarantined"]:
        assert "our fault" not in refused["detail"], refused["detail"]


def _simulated(lines: list[bytes]) -> str:
    simulation = Simulation(PROTOCOL)
    for line in lines:
        simulation.read(line)
    result = simulation.result()
    text(result).encode()
    return json.dumps(result, ensure_ascii=False, allow_nan=False)


def _headers(head: bytes) -> tuple[tuple[str, bytes], ...]:
    named = (line.partition(b":") for line in head.splitlines())
    return tuple((name.decode(errors="replace"), value.strip()) for name, _, value in named)


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {"codec": codec, "simulate": simulate}
