"""Why a rule fires: the clause in the record's words, the reading with its alternatives, the thresholds. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from monitor.notify.texts import text_for
from monitor.protocol.model import Protocol
from monitor.protocol.words import stamped

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
    said, others = stamped(reading)
    return Grounds(
        clause=clause,
        words=file.clauses.get(clause, ""),
        protocol=f"{file.id} {file.version} ({file.hash})",
        reading=reading,
        reading_in_words=said,
        alternatives=tuple(others),
        thresholds=_thresholds(file, reading.partition(".")[0] or _SECTIONS.get(rule.partition(".")[0], "")),
        title=text.title,
        means=text.means,
        protocol_says=text.protocol,
        next=text.next,
    )


def _thresholds(file: Protocol, section: str) -> dict[str, str]:
    values: dict[str, Any] = file.model_dump(mode="json").get(section, {}) if section else {}
    return {name: str(value) for name, value in values.items()}
