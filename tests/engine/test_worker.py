"""The worker from the broker to the log, as a process of its own."""

from pathlib import Path

from tests.engine.wire import azacitidine, blasts, enrolment, platelets, publish, put
from tests.support.broker import Broker
from tests.support.reading import recorded_messages, records, verdict
from tests.support.waiting import wait_until
from tests.support.worker import worker_process


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'log.db'}"


def test_an_event_goes_through_everything_and_raises_its_alert(broker: Broker, tmp_path: Path) -> None:
    with worker_process(broker, _url(tmp_path), tmp_path, CLOCK="system") as worker:
        worker.start_ready()
        put(worker.settings, "safety.patient", [(b"SH-001", enrolment("SH-001"))])
        put(worker.settings, "safety.treatment", [(b"SH-001", azacitidine("SH-001", 1))])
        put(worker.settings, "safety.clinical", [(b"SH-001", blasts("SH-001", 2))])

        def alerted() -> bool:
            return any(
                r.kind == "safety.alert.raised.v1" and "stop.relapse" in r.payload for r in records(_url(tmp_path))
            )

        wait_until(alerted, "the alert is on the log")
        counted = 'safety_alerts_total{change="raised",priority="high",rule="stop.relapse"} 1.0'
        wait_until(lambda: counted in worker.fetch("metrics"), "the metrics count the alert")
        assert worker.stop() == 0
    found = verdict(_url(tmp_path))
    assert found.broken is None
    assert not found.differs


def test_a_stopped_worker_goes_on_where_it_was(broker: Broker, tmp_path: Path) -> None:
    url = _url(tmp_path)
    with worker_process(broker, url, tmp_path) as worker:
        worker.start_ready()
        sent = publish(worker.settings, [platelets("SH-001", number) for number in range(20)])
        wait_until(lambda: recorded_messages(url) == sent, "the first messages are on the log")
        assert worker.stop() == 0
        sent += publish(worker.settings, [platelets("SH-001", number) for number in range(20, 40)])
        worker.start_ready()
        wait_until(lambda: recorded_messages(url) == sent, "the later messages are on the log")
        assert worker.stop() == 0
    facts = [record for record in records(url) if record.kind == "safety.lab.resulted.v1"]
    assert len(facts) == 40
    assert len({record.origin for record in facts}) == 40


def test_an_exact_redelivery_is_counted_and_not_recorded(broker: Broker, tmp_path: Path) -> None:
    url = _url(tmp_path)
    with worker_process(broker, url, tmp_path) as worker:
        worker.start_ready()
        lines = [platelets("SH-001", number) for number in range(10)]
        sent = publish(worker.settings, [*lines, *lines])
        wait_until(lambda: recorded_messages(url) == sent, "all messages are read")
        wait_until(
            lambda: "safety_duplicates_total 10.0" in worker.fetch("metrics"), "the metrics count ten duplicates"
        )
        assert worker.stop() == 0
    assert sum(record.kind == "safety.lab.resulted.v1" for record in records(url)) == 10


def test_fifty_malformed_messages_among_five_hundred_are_quarantined_with_their_reasons(
    broker: Broker, tmp_path: Path
) -> None:
    url = _url(tmp_path)
    good = [platelets(f"SH-{number % 25:03}", number) for number in range(500)]
    bad = [
        *(b"{not json %d" % number for number in range(10)),
        *(b'{"specversion": "1.0", "id": "%d"}' % number for number in range(10)),
        *(platelets("SH-001", 1000 + number).replace(b"lab.resulted.v1", b"lab.guessed.v1") for number in range(10)),
        *(platelets("SH-002", 2000 + number).replace(b"10*9/L", b"bushels") for number in range(10)),
        *(platelets("SH-003", 3000 + number, value="900000") for number in range(10)),
    ]
    mixed = [
        line for number, line in enumerate(good) for line in ([line, bad[number // 10]] if number % 10 == 0 else [line])
    ]
    with worker_process(broker, url, tmp_path) as worker:
        worker.start_ready()
        sent = publish(worker.settings, mixed)
        wait_until(lambda: recorded_messages(url) == sent, "all messages are read")
        assert worker.stop() == 0
    found = records(url)
    assert sum(record.kind == "safety.lab.resulted.v1" for record in found) == 500
    kept = [record for record in found if record.stream.startswith("quarantine/")]
    assert len(kept) == 50
    for reason in ("malformed_json", "not_cloudevent", "unknown_type", "unit_unknown", "implausible"):
        assert sum(f'"{reason}"' in record.payload for record in kept) == 10, reason
    assert verdict(url).broken is None
