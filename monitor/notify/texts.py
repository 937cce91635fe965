"""The words of each rule, from texts.yaml: one table, read once, checked as it is read."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from monitor.notify.yamlfile import read_yaml

Sentence = Annotated[str, Field(min_length=1, max_length=400)]


class RuleText(BaseModel):
    """What a notice says of a rule: for a lock screen, why it matters, what the record says, what a person may do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=60)]
    means: Sentence
    protocol: Sentence
    next: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=5)]


# For a rule that is newer than the table: dull, and true.
UNKNOWN = RuleText(
    title="Something needs a look",
    means="A rule of the monitor fired that has no words of its own yet. The facts are given above.",
    protocol="See the clause named above.",
    next=("Look at the patient's record.", "Tell the people who run the monitor that this rule has no text."),
)


@cache
def texts() -> Mapping[str, RuleText]:
    """The table by rule id. Raises pydantic.ValidationError or yaml.YAMLError if the file is not as it should be."""
    source = files("monitor.notify").joinpath("texts.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, RuleText]).validate_python(read_yaml(source))


def text_for(rule: str) -> RuleText:
    """The words for a rule; never fails, since a notice without fine words is better than none."""
    return texts().get(rule, UNKNOWN)
