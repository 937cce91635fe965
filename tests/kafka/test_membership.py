"""What only Apache Kafka has: members that are known by name, and a broker that comes back with what it held."""

import time
from pathlib import Path

from tests.engine.wire import azacitidine, blasts, enrolment, platelets, publish
from tests.support.kafka import KafkaBroker
from tests.support.reading import assert_results_once, recorded_messages
from tests.support.waiting import wait_until
from tests.support.worker import WorkerProcess, worker_process

SESSION = 90  # seconds until Kafka gives up a member that is not known by name
OUTAGE = 5.0  # seconds


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'log.db'}"


def test_a_worker_that_was_killed_has_its_partitions_back_before_its_session_ends(
    kafka: KafkaBroker, tmp_path: Path
) -> None:
    url = _url(tmp_path)
    with worker_process(kafka, url, tmp_path, SESSION_TIMEOUT=str(SESSION)) as worker:
        worker.start_ready()
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(10)])
        wait_until(lambda: recorded_messages(url) == sent, "the first messages are on the log")
        worker.kill()
        sent += publish(worker.settings, [platelets("SH-001", number) for number in range(10, 20)])
        worker.start()
        wait_until(lambda: recorded_messages(url) == sent, "the later messages are on the log", limit=0.8 * SESSION)
        assert worker.stop() == 0


def test_an_older_start_of_the_same_instance_ends_for_good(
    kafka: KafkaBroker, postgres_url: str, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    with (
        worker_process(kafka, postgres_url, tmp_path) as first,
        worker_process(kafka, postgres_url, tmp_path / "second") as second,
    ):
        assert first.run("database", "upgrade").returncode == 0
        first.start_ready()
        second.start()
        assert first.ended() == 77
        assert "a newer start of instance worker-of-the-test is at work" in first.said()
        wait_until(second.ready, "the newer start works")
        sent = publish(second.settings, [platelets("SH-001", number) for number in range(10)])
        wait_until(lambda: recorded_messages(postgres_url) == sent, "the messages are on the log")
        assert second.stop() == 0


def test_a_broker_that_is_killed_for_five_seconds_loses_nothing(kafka: KafkaBroker, tmp_path: Path) -> None:
    url = _url(tmp_path)
    with worker_process(kafka, url, tmp_path) as worker:
        worker.start_ready()
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(100)])
        wait_until(lambda: recorded_messages(url) > 0, "the worker is in the middle of it")
        kafka.kill()
        until = time.monotonic() + OUTAGE
        wait_until(lambda: time.monotonic() > until, "the outage is over")
        kafka.start()
        sent += publish(worker.settings, [platelets("SH-001", number) for number in range(100, 200)])
        wait_until(lambda: recorded_messages(url) == sent, f"all messages are read; worker:\n{worker.said()}")
        wait_until(worker.ready, "the worker is ready")
        assert worker.stop() == 0
    assert_results_once(url, 200)


def test_alerts_and_refused_messages_reach_their_topics(kafka: KafkaBroker, tmp_path: Path) -> None:
    with worker_process(kafka, _url(tmp_path), tmp_path, CLOCK="system") as worker:
        worker.start_ready()
        sent = _alert_and_refusal(worker)
        wait_until(lambda: recorded_messages(_url(tmp_path)) >= sent, "the messages are on the log")
        wait_until(lambda: kafka.end("safety.alert") > 0, "the alert is on its topic")
        wait_until(lambda: kafka.end("safety.quarantine") == 1, "the copy is on its topic")
        assert worker.stop() == 0


def _alert_and_refusal(worker: WorkerProcess) -> int:
    return publish(worker.settings, [enrolment("SH-001"), azacitidine("SH-001", 1), blasts("SH-001", 2), b"{not json"])
