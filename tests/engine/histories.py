"""The scenarios' histories as one trial: each under patients and sources of its own, by time, some sent twice."""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from monitor.core.simulation import Simulation
from monitor.protocol.model import Protocol

SCENARIOS = Path(__file__).parents[1] / "scenarios"
TWICE = 0.1  # share of the messages that come again
LIVE = ("firing", "acknowledged", "shelved")


def merged(seed: int = 1) -> list[bytes]:
    """All histories by time; lines that cannot be read keep their place behind the line before them."""
    placed: list[tuple[datetime, int, bytes]] = []
    for path in sorted(SCENARIOS.glob("*.events.jsonl")):
        time = datetime(2025, 1, 1, tzinfo=UTC)
        for line in path.read_bytes().splitlines():
            time, own = _renamed(line, path.name[:2], time)
            placed.append((time, len(placed), own))
    return list(_some_twice([line for *_, line in sorted(placed)], random.Random(seed)))


def _renamed(line: bytes, prefix: str, before: datetime) -> tuple[datetime, bytes]:
    try:
        event = json.loads(line)
        time = datetime.fromisoformat(event["time"])
    except (ValueError, KeyError):
        return before, line
    event["subject"] = f"{prefix}-{event['subject']}"
    event["source"] = f"{event['source']}/{prefix}"
    return time, json.dumps(event).encode()


def _some_twice(lines: list[bytes], chance: random.Random) -> Iterator[bytes]:
    for line in lines:
        yield line
        if chance.random() < TWICE:
            yield line


def simulated(lines: Iterable[bytes], until: datetime | None = None) -> dict[str, object]:
    """What `simulate` says of these lines."""
    simulation = Simulation(Protocol.load(), until=until)
    for line in lines:
        simulation.read(line)
    return simulation.result()


def latest(lines: Iterable[bytes]) -> datetime:
    """The latest time in the lines."""
    times = []
    for line in lines:
        try:
            times.append(datetime.fromisoformat(json.loads(line)["time"]))
        except (ValueError, KeyError):
            continue
    return max(times)


def essence(result: dict[str, object]) -> dict[str, object]:
    """What must agree between worker and simulation: states, windows, events and live alerts of each patient."""
    patients = result["patients"]
    assert isinstance(patients, dict)
    return {name: _of_patient(patient) for name, patient in patients.items()}


def _of_patient(patient: dict[str, object]) -> dict[str, object]:
    alerts = patient["alerts"]
    assert isinstance(alerts, list)
    kept = {name: patient[name] for name in ("protocol_state", "treatment_state", "restart_window", "events")}
    kept["alerts"] = sorted((alert["rule"], alert["effective_at"]) for alert in alerts if alert["status"] in LIVE)
    return kept
