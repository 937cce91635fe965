"""A judge who could find nothing wrong would be no judge."""

from datetime import UTC, datetime

import pytest

from monitor.audit.records import Origin, Record
from tests.storm.judging import out_of_order


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
