"""What one look found: well, in doubt, or wrong; and how to mend it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`WRONG`: the worker will not do its work. `DOUBT`: it will, and somebody should know."""

    WELL = "well"
    DOUBT = "doubt"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True)
class Symptom:
    """One line of the page. `mend` is what to do, empty where nothing is to be done."""

    part: str
    state: State
    said: str
    mend: str = ""


def well(part: str, said: str) -> Symptom:
    """All is as it should be."""
    return Symptom(part, State.WELL, said)


def doubt(part: str, said: str, mend: str) -> Symptom:
    """It works, and is not as it should be."""
    return Symptom(part, State.DOUBT, said, mend)


def wrong(part: str, said: str, mend: str) -> Symptom:
    """It does not work."""
    return Symptom(part, State.WRONG, said, mend)


def page(symptoms: Iterable[Symptom]) -> Iterator[str]:
    """The lines that a person reads."""
    for each in symptoms:
        yield f"{each.state:<6} {each.part:<11} {each.said}"
        if each.mend:
            yield f"{'':<18} -> {each.mend}"
