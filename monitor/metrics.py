"""What Prometheus may know of us: the only user of prometheus_client, on a registry of our own.

Names begin with `safety_`, units are base units. Labels come from closed sets (`LABELS`): a value outside its set is
counted as `other`, so that neither a patient's number nor an alert's id can ever become a label.

The typed methods are the observer ports of the other packages (recorder, relay, audit, http): each declares the few it
calls as a Protocol of its own, and tests pass a fake.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
OTHER = "other"

PRIORITIES = frozenset({"high", "medium", "low"})
CHANGES = frozenset({"raised", "revised", "acknowledged", "escalated", "shelved", "withdrawn", "resolved"})
EVENT_OUTCOMES = frozenset({"recorded", "waiting", "ahead", "refused"})
STAGES = frozenset({"decode", "load", "assess", "append"})
SEND_OUTCOMES = frozenset({"delivered", "failed", "timeout", "not_needed"})

# What a label may be called. A test walks the registry: a label outside this set does not get in by accident.
LABELS = frozenset(
    {"kind", "outcome", "stage", "priority", "topic", "partition", "channel", "rule", "change", "reason"}
    | {"version", "protocol", "protocol_hash"}
)

# Seconds. An alert is meant to be with the first channel within 5 s of its event's arrival.
LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)
STAGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
# Results come minutes to days after the fact they report.
AGE_BUCKETS = (1, 10, 60, 600, 3_600, 6 * 3_600, 86_400, 7 * 86_400, 30 * 86_400)


class Metrics:
    """Counters, gauges and histograms of one process; give it the closed sets that configuration decides.

    `kinds`: event types; `topics`: Kafka topics; `rules`: rule ids; `reasons`: reasons for quarantine; `channels`: the
    recipients' names in the routing file.
    """

    def __init__(
        self,
        *,
        kinds: Collection[str] = (),
        topics: Collection[str] = (),
        rules: Collection[str] = (),
        reasons: Collection[str] = (),
        channels: Collection[str] = (),
    ) -> None:
        self.registry = CollectorRegistry()
        self._allowed: dict[str, frozenset[str]] = {
            "kind": frozenset(kinds),
            "topic": frozenset(topics),
            "rule": frozenset(rules),
            "reason": frozenset(reasons),
            "channel": frozenset(channels),
            "priority": PRIORITIES,
            "change": CHANGES,
            "stage": STAGES,
        }
        self._make_intake()
        self._make_alerts()
        self._make_notices()
        self._make_audit()

    def _make_intake(self) -> None:
        self._events = self._counter("events", "Inbound events by type and what became of them.", "kind", "outcome")
        for kind in self._allowed["kind"]:
            self._events.labels(kind, "ahead")  # at zero from the start, or the first would be no increase
        self._quarantined = self._counter("quarantined", "Inbound messages refused, by reason.", "reason")
        for reason in self._allowed["reason"]:
            self._quarantined.labels(reason)
        self._messages = self._counter(
            "messages", "Messages by topic and whether they could be read.", "topic", "outcome"
        )
        self._last_heard = self._gauge(
            "last_message_timestamp_seconds", "When the last message of a topic was recorded (Unix time).", "topic"
        )
        self._duplicates = self._counter("duplicates", "Exact redeliveries, dropped.")
        self._keyed_wrongly = self._counter(
            "keyed_wrongly", "Facts whose Kafka key is not their patient, which tears a patient over workers.", "topic"
        )
        for topic in self._allowed["topic"]:
            self._keyed_wrongly.labels(topic)
        self._stages = self._histogram("stage_duration_seconds", "Time spent in a stage.", STAGE_BUCKETS, "stage")
        self._age = self._histogram("event_age_seconds", "From an event's time to its commit.", AGE_BUCKETS)
        self._lag = self._gauge("consumer_lag", "Messages not yet recorded.", "topic", "partition")
        self._ready = self._gauge("ready", "1 if /readyz is green.")

    def _make_alerts(self) -> None:
        self._alerts = self._counter("alerts", "Changes of alerts.", "rule", "priority", "change")
        for rule, priority in product(self._allowed["rule"], PRIORITIES):
            self._alerts.labels(rule, priority, "raised")
        self._failures = self._counter("assessment_failures", "Patients whose assessment raised an exception.")
        self._unacked = self._gauge("unacked_alerts", "Alerts that nobody has acknowledged.", "priority")
        self._oldest_unacked = self._gauge(
            "oldest_unacked_seconds", "How long the oldest alert not acknowledged has been as it is.", "priority"
        )
        self._heartbeat = self._gauge(
            "heartbeat_timestamp_seconds", "When the last sign of life reached the service outside (Unix time)."
        )
        self._system = self._gauge("system_alerts", "Open alerts about the monitor itself, by rule.", "rule")

    def _make_notices(self) -> None:
        help_latency = "From the recording of an alert's change to a delivered notice."
        self._latency = self._histogram("alert_latency_seconds", help_latency, LATENCY_BUCKETS, "priority")
        for priority in PRIORITIES:
            self._latency.labels(priority)
        self._pending = self._gauge("outbox_pending", "Notices waiting to go out.", "channel")
        self._oldest_pending = self._gauge("outbox_oldest_pending_seconds", "Age of the oldest waiting notice.")
        self._attempts = self._counter("notify_attempts", "Attempts to send a notice.", "channel", "outcome")
        for channel, outcome in product(self._allowed["channel"], SEND_OUTCOMES):
            self._attempts.labels(channel, outcome)
        self._recipients = self._gauge("recipients", "Whom the routing file names to be told, by priority.", "priority")
        self._undelivered = self._counter("notices_undelivered", "Notices that nobody on their way took so far.")

    def _make_audit(self) -> None:
        self._head = self._gauge("audit_head_sequence", "Last sequence on the audit log.")
        self._verified = self._gauge("audit_verified_sequence", "Sequence up to which the log was verified.")
        self._verified_at = self._gauge(
            "audit_verified_timestamp_seconds", "When the log was last found whole (Unix time)."
        )
        self._verifying = self._gauge("audit_verify_seconds", "How long the last pass over the whole log took.")
        self._broken = self._gauge("audit_broken_sequence", "The first record that does not hold; 0 if all do.")
        self._checkpoint = self._gauge("checkpoint_timestamp_seconds", "When the last checkpoint was made (Unix time).")
        self._signed = self._gauge("checkpoint_sequence", "Sequence up to which the log is under a signed checkpoint.")
        self._not_kept = self._gauge(
            "checkpoint_file_failing", "1 while the newest checkpoint cannot be added to CHECKPOINT_FILE."
        )
        self._commit = self._gauge("last_commit_timestamp_seconds", "When the last batch was committed (Unix time).")
        self._clock = self._gauge("clock_now_timestamp_seconds", "Now, by the monitor's clock (Unix time).")
        self._started = self._gauge("started_timestamp_seconds", "When this process began (Unix time).")
        self._started.set_to_current_time()
        self._build = Info(
            "safety_build", "The version that runs and the protocol file in force.", registry=self.registry
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"safety_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"safety_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"safety_{name}", text, labels, buckets=buckets, registry=self.registry)

    def _known(self, label: str, value: str) -> str:
        return value if value in self._allowed[label] else OTHER

    # The recorder and the agents

    def event_seen(self, kind: str, outcome: str) -> None:
        """Count an inbound event; `outcome` is one of EVENT_OUTCOMES."""
        self._events.labels(self._known("kind", kind), outcome if outcome in EVENT_OUTCOMES else OTHER).inc()

    def event_recorded_after(self, age_seconds: float) -> None:
        """Observe how old an event was when it was committed (its `time` to now)."""
        self._age.observe(max(age_seconds, 0.0))

    def message_quarantined(self, reason: str) -> None:
        """Count a refused message by its reason (the closed set of the event contract)."""
        self._quarantined.labels(self._known("reason", reason)).inc()

    def heard(self, topic: str, read: int, refused: int, at: datetime) -> None:
        """Count messages of a topic that could be read and that were refused, recorded at `at`."""
        name = self._known("topic", topic)
        self._messages.labels(name, "read").inc(read)
        self._messages.labels(name, "refused").inc(refused)
        self._last_heard.labels(name).set(at.timestamp())

    def duplicate_dropped(self) -> None:
        """Count an exact redelivery."""
        self._duplicates.inc()

    def keyed_wrongly(self, topic: str) -> None:
        """Count a fact whose Kafka key is not its patient."""
        self._keyed_wrongly.labels(self._known("topic", topic)).inc()

    def stage_took(self, stage: str, seconds: float) -> None:
        """Observe the duration of a stage, one of STAGES."""
        self._stages.labels(self._known("stage", stage)).observe(seconds)

    def lag_is(self, topic: str, partition: int, messages: int) -> None:
        """Set how many messages of a partition are not yet recorded."""
        self._lag.labels(self._known("topic", topic), str(partition)).set(messages)

    def lags_are_unknown(self) -> None:
        """Partitions changed hands: what lags is for whoever has them now to tell."""
        self._lag.clear()

    def batch_committed(self, head_sequence: int, at: datetime) -> None:
        """Note a successful commit: the log's head and the wall clock's time."""
        self._head.set(head_sequence)
        self._commit.set(at.timestamp())

    def assessment_failed(self) -> None:
        """Count a patient whose assessment raised: that patient waits for a mend."""
        self._failures.inc()

    def alert_changed(self, rule: str, priority: str, change: str) -> None:
        """Count a change of an alert."""
        self._alerts.labels(
            self._known("rule", rule), self._known("priority", priority), self._known("change", change)
        ).inc()

    def unacknowledged(self, by_priority: Mapping[str, int], oldest_seconds: Mapping[str, float]) -> None:
        """Set how many alerts wait for a person, and the age of the oldest (0 if none), by priority."""
        for priority in sorted(PRIORITIES):
            self._unacked.labels(priority).set(by_priority.get(priority, 0))
            self._oldest_unacked.labels(priority).set(oldest_seconds.get(priority, 0.0))

    def system_alerts_are(self, live: Mapping[str, int]) -> None:
        """Set how many alerts about the system are open, by rule; of a rule that is not named, none."""
        for rule in sorted(name for name in self._allowed["rule"] if name.startswith("ops.")):
            self._system.labels(rule).set(live.get(rule, 0))

    def heartbeat_sent(self, at: datetime) -> None:
        """Set when the last sign of life reached the service outside."""
        self._heartbeat.set(at.timestamp())

    # The relay

    def notice_attempted(self, channel: str, outcome: str) -> None:
        """Count an attempt to send; `outcome` is one of SEND_OUTCOMES."""
        self._attempts.labels(self._known("channel", channel), outcome if outcome in SEND_OUTCOMES else OTHER).inc()

    def notice_delivered_after(self, priority: str, seconds: float) -> None:
        """Observe the time from the recording of a change to a delivered notice of it."""
        self._latency.labels(self._known("priority", priority)).observe(max(seconds, 0.0))

    def notice_undelivered(self) -> None:
        """Count a notice that neither its recipient nor anybody in their place has taken so far."""
        self._undelivered.inc()

    def recipients_are(self, by_priority: Mapping[str, int]) -> None:
        """Set how many recipients the routing file names, by priority; none at all without a routing file."""
        for priority in sorted(PRIORITIES):
            self._recipients.labels(priority).set(by_priority.get(priority, 0))

    def outbox_is(self, pending: Mapping[str, int], oldest_seconds: float) -> None:
        """Set what waits to go out, by channel, and the age of the oldest (0 if none)."""
        counts = dict.fromkeys(self._allowed["channel"], 0)
        for channel, number in pending.items():
            name = self._known("channel", channel)
            counts[name] = counts.get(name, 0) + number
        for channel, number in counts.items():
            self._pending.labels(channel).set(number)
        self._oldest_pending.set(oldest_seconds)

    # The verifier, the clock, the process

    def log_verified(self, sequence: int, at: datetime) -> None:
        """Set up to which sequence the log was found whole, and when."""
        self._verified.set(sequence)
        self._verified_at.set(at.timestamp())
        self._broken.set(0)

    def log_broken(self, sequence: int) -> None:
        """Set which record of the log is the first that does not hold."""
        self._broken.set(sequence)

    def verify_took(self, seconds: float) -> None:
        """Set how long a pass over the whole log took, its rests included."""
        self._verifying.set(seconds)

    def checkpoint_is(self, size: int, made_at: datetime) -> None:
        """Set how many records the newest signed checkpoint counts, and when it was made."""
        self._signed.set(size)
        self._checkpoint.set(made_at.timestamp())

    def checkpoint_kept(self, kept: bool) -> None:
        """Set whether the newest checkpoint could be added to the file outside the database."""
        self._not_kept.set(0 if kept else 1)

    def clock_is(self, now: datetime) -> None:
        """Set the monitor's now: the wall clock, or the watermark of a back-fill."""
        self._clock.set(now.timestamp())

    def readiness_is(self, ready: bool) -> None:
        """Set what /readyz last answered."""
        self._ready.set(1 if ready else 0)

    def build_is(self, version: str, protocol: str, protocol_hash: str) -> None:
        """Name what runs: our version, and the protocol file's id and hash."""
        self._build.info({"version": version, "protocol": protocol, "protocol_hash": protocol_hash})

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)
