"""The table of rights at the broker knows the topics of the code, and keeps each to its own."""

from pathlib import Path

from monitor.broker import ALL_TOPICS
from monitor.events.catalogue import ALERT_TOPIC, CHECKPOINT_TOPIC, QUARANTINE_TOPIC, TOPICS
from monitor.settings import Settings

TABLE = Path(__file__).parents[2] / "deploy" / "kafka" / "acls.txt"
WORKER = "safety-monitor"


def may(operation: str, resource: str) -> dict[str, set[str]]:
    """Who may do this, by the name of the resource."""
    who: dict[str, set[str]] = {}
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    for principal, operations, of, names in map(str.split, lines):
        if of == resource and operation in operations.split(","):
            for name in names.split(","):
                who.setdefault(name, set()).add(principal)
    return who


def test_each_topic_has_one_who_writes_it_and_only_the_worker_tells_what_it_found() -> None:
    writers = may("Write", "topic")
    assert set(writers) == set(ALL_TOPICS)
    assert all(len(who) == 1 for who in writers.values())
    theirs = {topic for topic, who in writers.items() if who == {WORKER}}
    assert theirs == {ALERT_TOPIC, QUARANTINE_TOPIC, CHECKPOINT_TOPIC}


def test_the_worker_reads_every_inbound_topic_in_its_own_group() -> None:
    assert {topic for topic, who in may("Read", "topic").items() if WORKER in who} == set(TOPICS)
    assert may("Read", "group")[Settings().group] == {WORKER}


def test_whoever_makes_the_topics_may_make_all() -> None:
    assert set(may("Create", "topic")) == set(ALL_TOPICS)
