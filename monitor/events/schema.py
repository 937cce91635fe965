"""JSON Schema (2020-12) of every inbound type, for senders who check before they send."""

from typing import Any, Final

from monitor.events.catalogue import CLOCK_MODEL, CLOCK_TYPE, TYPES
from monitor.events.record import Frozen
from monitor.events.scalars import MAX_WORD

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(name: str) -> dict[str, Any]:
    """The schema of a whole event of that type in structured mode. Raises KeyError for a type not in the catalogue.

    It says what form is taken. Units, plausible ranges, check digits and times to come are judged beyond it.
    """
    model = CLOCK_MODEL if name == CLOCK_TYPE else TYPES[name].model
    data = _data(model)
    definitions = data.pop("$defs", {})
    word = {"type": "string", "minLength": 1, "maxLength": MAX_WORD}
    required = ["specversion", "id", "source", "type", "time", "data"]
    schema: dict[str, Any] = {
        "$schema": DIALECT,
        "title": name,
        "type": "object",
        "required": required if name == CLOCK_TYPE else [*required, "subject"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": word,
            "source": word,
            "type": {"const": name},
            "subject": word,
            "time": {"type": "string", "format": "date-time"},
            "data": data,
        },
    }
    return {**schema, "$defs": definitions} if definitions else schema


def json_schemas() -> dict[str, dict[str, Any]]:
    """Every inbound type's schema by wire name, the back-fill's clock among them."""
    return {name: json_schema(name) for name in (*TYPES, CLOCK_TYPE)}


def _data(model: type[Frozen]) -> dict[str, Any]:
    """The model's own schema, without what we work out ourselves."""
    data = model.model_json_schema(mode="validation", by_alias=True)
    for name in model.derived:
        data["properties"].pop(name, None)
    if "Analyte" in data.get("$defs", {}):
        del data["$defs"]["Analyte"]
    return data
