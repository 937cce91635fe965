"""The machine's clock was hours off and is set right: what comes then is recorded, decided and told as ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.engine.wire import START, azacitidine, blasts, enrolment, put
from tests.support.broker import Broker
from tests.support.postbox import Postbox, http_postbox, routing_to
from tests.support.reading import looked_at, records, verdict
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

OFF = timedelta(hours=2)


def _relapse(worker: WorkerProcess, patient: str, at: datetime) -> None:
    key = patient.encode()
    put(worker.settings, "safety.patient", [(key, enrolment(patient))])
    put(worker.settings, "safety.treatment", [(key, azacitidine(patient, 1))])
    put(worker.settings, "safety.clinical", [(key, blasts(patient, 2, at=at))])


def _is_told(postbox: Postbox, patient: str) -> bool:
    return any(patient in str(message) and "elapse" in str(message) for message in list(postbox.messages))


def _facts(url: str, patient: str) -> int:
    return sum(record.stream == f"patient/{patient}" and record.origin is not None for record in records(url))


@pytest.mark.parametrize("off", [OFF, -OFF], ids=["ahead", "behind"])
def test_a_clock_that_was_wrong_holds_up_no_alert_once_it_is_right(
    broker: Broker, tmp_path: Path, off: timedelta
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    right = START + timedelta(days=1)
    skew, routing = tmp_path / "skew", tmp_path / "routing.yaml"

    def set_clock(at: datetime) -> None:
        skew.write_text(str((at - datetime.now(UTC)).total_seconds()))

    set_clock(right + off)
    with (
        http_postbox() as postbox,
        worker_process(broker, url, tmp_path, CLOCK="system", ROUTING=str(routing)) as worker,
    ):
        routing.write_text(routing_to(postbox))
        worker.skew = skew
        worker.start_ready()
        _relapse(worker, "SH-001", START)
        wait_until(lambda: _is_told(postbox, "SH-001"), "the first is told")
        worker.kill()  # with its leases, by the wrong clock
        set_clock(right)
        worker.start_ready()
        _relapse(worker, "SH-002", START)
        wait_until(lambda: _is_told(postbox, "SH-002"), "the second is told")
        put(worker.settings, "safety.clinical", [(b"SH-001", blasts("SH-001", 9, at=START + timedelta(hours=1)))])
        wait_until(lambda: _facts(url, "SH-001") == 4, "what comes later of the first is recorded")
        wait_until(lambda: not looked_at(url, lambda log: log.outbox_backlog()), "all is told")
        assert worker.stop() == 0
    found = verdict(url)
    assert found.broken is None
    assert not found.differs
