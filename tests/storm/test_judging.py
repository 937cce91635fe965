"""A judge who could find nothing wrong would be no judge."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.audit.log import SqlAuditLog
from monitor.audit.records import Origin, Record
from monitor.audit.schema import upgrade
from monitor.events.codec import decode
from monitor.events.envelope import Received
from tests.audit.rig import PROTOCOL, record_by_system_clock
from tests.engine.wire import enrolment, platelets
from tests.storm.judging import facts_on, out_of_order


def fact(patient: str, topic: str, offset: int) -> Record:
    at = datetime(2025, 3, 1, tzinfo=UTC)
    return Record(
        stream=f"patient/{patient}", kind="safety.lab.resulted.v1", payload="{}", known_at=at, actor="/lis",
        origin=Origin(topic, 0, offset), sequence=1, version=1, recorded_at=at, scheme=1, salt=b"", key_id=None,
        payload_hash=b"", previous_hash=b"", leaf_hash=b"", record_hash=b"",
    )  # fmt: skip


def test_facts_of_a_patient_that_overtook_one_another_are_found() -> None:
    assert out_of_order([fact("A", "safety.lab", 7), fact("A", "safety.lab", 6)]) == {("patient/A", "safety.lab")}


@pytest.mark.parametrize("other", [fact("B", "safety.lab", 6), fact("A", "safety.mrd", 6), fact("A", "safety.lab", 9)])
def test_other_patients_topics_and_gaps_are_in_order(other: Record) -> None:
    assert out_of_order([fact("A", "safety.lab", 7), other]) == set()


async def test_a_fact_on_the_log_is_known_as_the_message_that_was_sent(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    await upgrade(url)
    sent = [enrolment("SH-001"), *(platelets("SH-001", number) for number in range(5))]
    log = await SqlAuditLog.open(url)
    try:
        await record_by_system_clock(log, sent)
        written = [record async for record in log.read()]
    finally:
        await log.close()
    assert {record.scheme for record in written} == {2}  # encrypted: its dedupe keys are not those of the messages
    read = [decode(value, site_timezone=PROTOCOL.tz) for value in sent]
    assert set(facts_on(written)) == {each.delivery_key for each in read if isinstance(each, Received)}
    assert len(list(facts_on(written))) == len(sent)
    assert set(facts_on(written[:1])) < set(facts_on(written))
