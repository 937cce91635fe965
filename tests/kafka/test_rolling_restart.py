"""Two workers are restarted one after the other while alerts arise: none is lost, none comes late."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.engine.wire import START, azacitidine, blasts, enrolment, put
from tests.support.kafka import KafkaBroker
from tests.support.postbox import Postbox, http_postbox, routing_to
from tests.support.reading import looked_at, records
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

PROMISE = 15.0  # seconds from the event's publication until its notice has arrived
PAUSE = 1.0  # seconds between two alerts


class Ward(threading.Thread):
    """Reports a relapse of one patient after the other, until told to stop; `reported_at` by study number."""

    def __init__(self, worker: WorkerProcess) -> None:
        super().__init__(daemon=True)
        self._settings = worker.settings
        self._over = threading.Event()
        self.reported_at: dict[str, float] = {}

    def run(self) -> None:
        while not self._over.wait(PAUSE):
            patient = f"SH-{len(self.reported_at):03}"
            put(self._settings, "safety.patient", [(patient.encode(), enrolment(patient))])
            put(self._settings, "safety.treatment", [(patient.encode(), azacitidine(patient, 1))])
            put(self._settings, "safety.clinical", [(patient.encode(), blasts(patient, 2))])
            self.reported_at[patient] = time.monotonic()

    def stop(self) -> None:
        self._over.set()
        self.join()

    def waits(self, postbox: Postbox) -> dict[str, float]:
        """Seconds until each patient's relapse was told; patients of whom nobody was told are left out."""
        told = list(zip(postbox.arrived_at, [str(message) for message in postbox.messages], strict=True))
        return {
            patient: next(at for at, text in told if patient in text and "elapse" in text) - reported_at
            for patient, reported_at in self.reported_at.items()
            if any(patient in text and "elapse" in text for _, text in told)
        }


def test_a_rolling_restart_of_two_workers_loses_no_alert_and_delays_none_beyond_fifteen_seconds(
    kafka: KafkaBroker, postgres_url: str, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    routing, skew = tmp_path / "routing.yaml", tmp_path / "skew"
    # The day after what is reported: no patient then has a year of examinations that nobody made.
    skew.write_text(str((START + timedelta(days=1) - datetime.now(UTC)).total_seconds()))
    with (
        http_postbox() as postbox,
        worker_process(kafka, postgres_url, tmp_path, INSTANCE="first", CLOCK="system", ROUTING=str(routing)) as first,
        worker_process(
            kafka, postgres_url, tmp_path / "second", INSTANCE="second", CLOCK="system", ROUTING=str(routing)
        ) as second,
    ):
        first.skew = second.skew = skew
        routing.write_text(routing_to(postbox))
        assert first.run("database", "upgrade").returncode == 0
        first.start_ready()
        second.start_ready()
        ward = Ward(first)
        ward.start()
        for worker in (first, second):
            before = len(postbox.messages)
            wait_until(lambda: len(postbox.messages) > before, "alerts are told")  # noqa: B023 - called at once
            assert worker.stop() == 0
            worker.start_ready()
        before = len(postbox.messages)
        wait_until(lambda: len(postbox.messages) > before, "alerts are told")
        ward.stop()
        wait_until(lambda: not looked_at(postgres_url, lambda log: log.outbox_backlog()), "all is told")
        wait_until(lambda: len(ward.waits(postbox)) == len(ward.reported_at), "every relapse is told")
        assert first.stop() == second.stop() == 0
    waits = ward.waits(postbox)
    print(f"rolling restart: {len(waits)} alerts, the slowest told after {max(waits.values()):.1f} s")
    assert max(waits.values()) < PROMISE
    facts = [record for record in records(postgres_url) if record.origin is not None]
    assert len({record.dedupe_key for record in facts}) == len(facts) == 3 * len(waits)
