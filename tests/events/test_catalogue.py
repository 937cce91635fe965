"""The wire names, topics and schemas that senders rely on."""

import json

import pytest
from jsonschema import Draft202012Validator

from monitor.events.catalogue import CLOCK_TYPE, TOPICS, TYPES
from monitor.events.schema import json_schema, json_schemas
from tests.events.samples import sample


def test_the_wire_names_and_topics_are_those_of_the_contract() -> None:
    assert {name: kind.topic for name, kind in TYPES.items()} == {
        "safety.patient.enrolled.v1": "safety.patient",
        "safety.patient.status-changed.v1": "safety.patient",
        "safety.lab.resulted.v1": "safety.lab",
        "safety.mrd.resulted.v1": "safety.mrd",
        "safety.chimerism.resulted.v1": "safety.chimerism",
        "safety.gvhd.acute-assessed.v1": "safety.gvhd",
        "safety.gvhd.chronic-assessed.v1": "safety.gvhd",
        "safety.adverse-event.reported.v1": "safety.clinical",
        "safety.disease.assessed.v1": "safety.clinical",
        "safety.graft.assessed.v1": "safety.clinical",
        "safety.azacitidine.given.v1": "safety.treatment",
        "safety.dli.infused.v1": "safety.treatment",
        "safety.medication.given.v1": "safety.treatment",
        "safety.treatment.decided.v1": "safety.treatment",
        "safety.alert.acknowledged.v1": "safety.command",
        "safety.alert.shelved.v1": "safety.command",
        "safety.alert.resolved.v1": "safety.command",
    }
    assert len(TOPICS) == 8


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_valid_event_fits_its_published_schema(name: str) -> None:
    schema = json_schema(name)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(sample(name))


def test_a_field_that_we_work_out_is_not_asked_of_a_sender() -> None:
    assert "quantity" not in json.dumps(json_schema("safety.lab.resulted.v1")["properties"]["data"]["properties"])


def test_the_clock_of_a_back_fill_has_a_schema_too() -> None:
    assert set(json_schemas()) == {*TYPES, CLOCK_TYPE}
