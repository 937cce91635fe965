from datetime import UTC, datetime

import pytest

from monitor.metrics import LABELS, OTHER, Metrics

PATIENT = "SH-017"
SETS = {
    "kinds": ["safety.lab.resulted.v1"],
    "topics": ["safety.lab"],
    "rules": ["stop.chimerism"],
    "reasons": ["future"],
    "channels": ["officer"],
}
# Histogram buckets are the library's own label.
KNOWN_VALUES = {
    *("safety.lab.resulted.v1", "safety.lab", "stop.chimerism", "future", "officer", OTHER, "0", "3"),
    *(
        "high",
        "medium",
        "low",
        "raised",
        "recorded",
        "ahead",
        "append",
        "delivered",
        "failed",
        "timeout",
        "not_needed",
        "0.1.0",
        "nct06754540",
        "sha256:ab",
    ),
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(**SETS)


def everything_is_told(metrics: Metrics, word: str) -> None:
    metrics.event_seen(word, word)
    metrics.message_quarantined(word)
    metrics.stage_took(word, 0.1)
    metrics.lag_is(word, 3, 7)
    metrics.alert_changed(word, word, word)
    metrics.unacknowledged({word: 1}, {word: 5.0})
    metrics.notice_attempted(word, word)
    metrics.notice_delivered_after(word, 1.0)
    metrics.outbox_is({word: 2}, 9.0)


def labels_of(metrics: Metrics) -> list[tuple[str, str]]:
    samples = (sample for family in metrics.registry.collect() for sample in family.samples)
    return [(name, value) for sample in samples for name, value in sample.labels.items() if name != "le"]


def test_no_label_ever_holds_a_patient(metrics: Metrics) -> None:
    everything_is_told(metrics, PATIENT)
    labels = labels_of(metrics)
    assert {name for name, _ in labels} <= LABELS
    assert {value for _, value in labels} <= KNOWN_VALUES
    assert PATIENT not in metrics.exposition().decode()


def test_label_names_are_declared_before_they_are_used(metrics: Metrics) -> None:
    collectors = metrics.registry._collector_to_names
    declared = {label for collector in collectors for label in getattr(collector, "_labelnames", ())}
    assert declared - LABELS == set()
    assert len(declared) > 5


def test_known_values_are_counted_under_their_names(metrics: Metrics) -> None:
    metrics.event_seen("safety.lab.resulted.v1", "recorded")
    metrics.alert_changed("stop.chimerism", "high", "raised")
    text = metrics.exposition().decode()
    assert 'safety_events_total{kind="safety.lab.resulted.v1",outcome="recorded"} 1.0' in text
    assert 'safety_alerts_total{change="raised",priority="high",rule="stop.chimerism"} 1.0' in text


def test_every_name_begins_with_safety_and_carries_a_base_unit(metrics: Metrics) -> None:
    for family in metrics.registry.collect():
        assert family.name.startswith("safety_")
        assert family.documentation.endswith(".")
        assert not any(unit in family.name for unit in ("_ms", "_minutes", "_days", "millis"))


def test_a_queue_that_emptied_reads_zero(metrics: Metrics) -> None:
    metrics.outbox_is({"officer": 4}, 12.0)
    metrics.outbox_is({}, 0.0)
    assert metrics.registry.get_sample_value("safety_outbox_pending", {"channel": "officer"}) == 0
    metrics.unacknowledged({"high": 1}, {"high": 60.0, "low": 900.0})
    metrics.unacknowledged({}, {})
    assert metrics.registry.get_sample_value("safety_unacked_alerts", {"priority": "high"}) == 0
    assert metrics.registry.get_sample_value("safety_oldest_unacked_seconds", {"priority": "high"}) == 0


def test_the_oldest_alert_is_told_by_priority(metrics: Metrics) -> None:
    metrics.unacknowledged({"high": 1, "low": 1}, {"high": 60.0, "low": 900.0})
    assert metrics.registry.get_sample_value("safety_oldest_unacked_seconds", {"priority": "high"}) == 60


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("safety_quarantined_total", {"reason": "future"}),
        ("safety_alerts_total", {"rule": "stop.chimerism", "priority": "high", "change": "raised"}),
        ("safety_alert_latency_seconds_count", {"priority": "high"}),
        ("safety_notify_attempts_total", {"channel": "officer", "outcome": "failed"}),
        ("safety_recipients", {"priority": "high"}),
    ],
)
def test_what_prometheus_waits_for_is_there_before_the_first_time(name: str, labels: dict[str, str]) -> None:
    metrics = Metrics(**SETS)
    metrics.recipients_are({})
    assert metrics.registry.get_sample_value(name, labels) == 0


def test_a_commit_moves_the_head_and_its_time(metrics: Metrics) -> None:
    metrics.batch_committed(41, datetime(2025, 6, 12, tzinfo=UTC))
    assert metrics.registry.get_sample_value("safety_audit_head_sequence") == 41
    assert metrics.registry.get_sample_value("safety_last_commit_timestamp_seconds") == 1_749_686_400


def test_a_clock_ahead_of_the_event_does_not_break_a_histogram(metrics: Metrics) -> None:
    metrics.event_recorded_after(-2.0)
    metrics.notice_delivered_after("high", -1.0)
    assert metrics.registry.get_sample_value("safety_event_age_seconds_sum") == 0


def test_two_monitors_in_one_process_do_not_share_counters() -> None:
    one, other = Metrics(**SETS), Metrics(**SETS)
    one.duplicate_dropped()
    assert other.registry.get_sample_value("safety_duplicates_total") == 0


def test_the_build_says_which_protocol_is_in_force(metrics: Metrics) -> None:
    metrics.build_is("0.1.0", "nct06754540", "sha256:ab")
    wanted = {"version": "0.1.0", "protocol": "nct06754540", "protocol_hash": "sha256:ab"}
    assert metrics.registry.get_sample_value("safety_build_info", wanted) == 1
    assert {value for _, value in labels_of(metrics)} <= KNOWN_VALUES
