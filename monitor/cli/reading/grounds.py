"""Why a rule fires: the clause in the record's words, the reading with its alternatives, the thresholds. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args, get_origin

from monitor.notify.figures import reading_in_words
from monitor.notify.texts import text_for
from monitor.protocol.model import Protocol, Section

# The section of the protocol file that a family of rules reads, where its reading does not name one.
_SECTIONS: Final = {
    "azacitidine": "azacitidine",
    "chimerism": "chimerism",
    "dli": "dli",
    "eligibility": "eligibility",
    "lab": "laboratory",
    "monitoring": "monitoring",
    "mrd": "mrd",
    "relapse": "relapse",
    "report": "susar",
    "restart": "restart",
    "start": "start",
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the protocol file says behind an alert. `words` are the trial record's own."""

    clause: str
    words: str
    protocol: str
    reading: str
    reading_in_words: str
    alternatives: tuple[str, ...]
    thresholds: dict[str, str]
    title: str
    means: str
    protocol_says: str
    next: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def grounds(alert: dict[str, Any], file: Protocol) -> Grounds:
    """The grounds of an alert (its newest content) under the file it rests on."""
    rule, clause, reading = alert["rule"], alert.get("clause", ""), alert.get("reading", "")
    text = text_for(rule)
    name, _, chosen = reading.partition(": ")
    return Grounds(
        clause=clause,
        words=file.clauses.get(clause, ""),
        protocol=f"{file.id} {file.version} ({file.hash})",
        reading=reading,
        reading_in_words=reading_in_words(reading) if reading else "",
        alternatives=tuple(each for each in _choices(name) if each != chosen),
        thresholds=_thresholds(file, name.partition(".")[0] or _SECTIONS.get(rule.partition(".")[0], "")),
        title=text.title,
        means=text.means,
        protocol_says=text.protocol,
        next=text.next,
    )


def _choices(reading: str) -> list[str]:
    """What else a reading could be; nothing where it is a number."""
    section, _, field = reading.partition(".")
    kind = Protocol.model_fields[section].annotation if section in Protocol.model_fields else None
    if not (isinstance(kind, type) and issubclass(kind, Section) and field in kind.model_fields):
        return []
    annotation = kind.model_fields[field].annotation
    return [str(choice) for choice in get_args(annotation)] if get_origin(annotation) is Literal else []


def _thresholds(file: Protocol, section: str) -> dict[str, str]:
    values: dict[str, Any] = file.model_dump(mode="json").get(section, {}) if section else {}
    return {name: str(value) for name, value in values.items()}
