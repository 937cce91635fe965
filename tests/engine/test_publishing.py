"""What `publish` sends: the lines as they are, and the time at each change of day and at the end."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from monitor.events.catalogue import CLOCK_TYPE, TOPICS
from monitor.publishing import Outgoing, messages
from tests.engine.wire import platelets

PARTITIONS = dict.fromkeys(TOPICS, 2)
SITE = ZoneInfo("Asia/Shanghai")


def _sent(*lines: bytes) -> list[Outgoing]:
    return list(messages(lines, PARTITIONS, SITE, "run"))


def _told(sent: list[Outgoing]) -> list[str]:
    """The times told, each once for all partitions of all topics."""
    told = [json.loads(message.value)["data"]["now"] for message in sent if CLOCK_TYPE.encode() in message.value]
    return sorted(set(told))


def test_an_event_goes_to_its_topic_keyed_by_its_patient() -> None:
    line = platelets("SH-001", 1)
    assert _sent(line)[0] == Outgoing("safety.lab", b"SH-001", line)


def test_a_line_that_cannot_be_read_goes_out_as_it_is() -> None:
    assert _sent(b"{broken") == [Outgoing("safety.clinical", None, b"{broken")]


def test_the_time_is_told_to_every_partition_of_every_topic_at_the_end() -> None:
    clock = _sent(platelets("SH-001", 1))[1:]
    assert {(message.topic, message.partition) for message in clock} == {(t, p) for t in TOPICS for p in range(2)}


def test_a_change_of_the_sites_day_tells_the_latest_time_before_it() -> None:
    evening = platelets("SH-001", 1, at=datetime(2025, 3, 1, 15, 59, tzinfo=UTC))
    late = platelets("SH-001", 2, at=datetime(2025, 3, 1, 10, 0, tzinfo=UTC))
    morning = platelets("SH-001", 3, at=datetime(2025, 3, 1, 16, 1, tzinfo=UTC))  # past midnight at the site
    sent = _sent(evening, late, morning)
    assert _told(sent) == ["2025-03-01T15:59:00Z", "2025-03-01T16:01:00Z"]
    assert [message.value for message in sent].index(morning) == 2 + len(TOPICS) * 2


def test_a_time_that_cannot_be_and_a_line_that_is_deep_hold_up_no_clock() -> None:
    far = platelets("SH-001", 2, at=datetime(9998, 1, 1, tzinfo=UTC))
    deep = b"[" * 100_000
    sent = _sent(platelets("SH-001", 1, at=datetime(2025, 3, 1, 10, 0, tzinfo=UTC)), far, deep)
    assert _told(sent) == ["2025-03-01T10:00:00Z"]
    assert {far, deep} <= {message.value for message in sent}
