"""Who is told: the routing file, read once at the start, every doubt an error."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from monitor.errors import UsageError
from monitor.notify.recipients import Name, Recipient, Section, fill, has_literal_password
from monitor.notify.yamlfile import read_yaml

# The channels of the Kafka topics that we write; no recipient may be called so.
ALERT_CHANNEL = "alert-topic"
QUARANTINE_CHANNEL = "quarantine-topic"
TOPIC_CHANNELS = (ALERT_CHANNEL, QUARANTINE_CHANNEL)

_PLAIN_KEY = re.compile(r"[\w-]{1,40}")


class Route(Section):
    """For one priority: each of `recipients` is told; for one who cannot be reached, the next of `fallback` in turn."""

    recipients: tuple[Name, ...] = ()
    fallback: tuple[Name, ...] = ()
    attempts: Annotated[int, Field(ge=1, le=50)] = 5

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = self.recipients + self.fallback
        if len(set(names)) != len(names):
            raise ValueError("a recipient is named twice")
        if self.fallback and not self.recipients:
            raise ValueError("a fallback without recipients is never used")
        return self


class Priorities(Section):
    """A route for each priority. Nobody need be told of low and medium alerts; somebody must be told of high ones."""

    high: Route
    medium: Route
    low: Route

    @model_validator(mode="after")
    def _somebody_hears_of_high(self) -> Self:
        if not self.high.recipients:
            raise ValueError("priorities.high names no recipient")
        return self


class Routing(Section):
    """The whole routing file.

    `study_number`: name the patient by study number in notices (off: by the alert's reference alone).
    `acknowledge_at`: the page where alerts are acknowledged, printed in each notice. `operations`: who runs the
    monitor; told of ops.* alerts beside those of the priority.
    """

    format: Literal[1]
    study_number: bool = False
    acknowledge_at: Annotated[str, Field(pattern=r"^https?://")] | None = None
    recipients: Annotated[dict[Name, Recipient], Field(min_length=1)]
    priorities: Priorities
    operations: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _names_match(self) -> Self:
        routed = set(self.everyone)
        if unknown := sorted(routed - self.recipients.keys()):
            raise ValueError(f"no such recipient: {', '.join(unknown)}")
        if unused := sorted(self.recipients.keys() - routed):
            raise ValueError(f"in no route: {', '.join(unused)}")
        if taken := sorted(set(TOPIC_CHANNELS).intersection(self.channels)):
            raise ValueError(f"{taken[0]} is a channel of the monitor itself")
        return self

    def route(self, priority: str) -> Route:
        """The route of a priority; of an unknown one the route of high, since it may matter."""
        return {"high": self.priorities.high, "medium": self.priorities.medium, "low": self.priorities.low}.get(
            priority, self.priorities.high
        )

    @property
    def everyone(self) -> tuple[str, ...]:
        """All recipients that any route names, each once."""
        routes = (self.priorities.high, self.priorities.medium, self.priorities.low)
        return tuple(dict.fromkeys((*(name for r in routes for name in r.recipients + r.fallback), *self.operations)))

    def channel(self, recipient: str) -> str:
        """The channel of a recipient; by default one of its own."""
        known = self.recipients.get(recipient)
        return (known.channel if known else None) or recipient

    @property
    def channels(self) -> tuple[str, ...]:
        """All channels of people, each once."""
        return tuple(dict.fromkeys(self.channel(name) for name in self.recipients))


def load_routing(path: Path, environ: Mapping[str, str]) -> Routing:
    """Read a routing file and fill in its secrets.

    Raises UsageError: one line that names what is wrong and where, and never shows a URL or a secret.
    """
    try:
        document = read_yaml(path.read_text(encoding="utf-8"))
        if isinstance(document, dict):
            document = {**document, "recipients": _filled(document.get("recipients"), environ)}
        return Routing.model_validate(document)
    except OSError as error:
        raise UsageError(f"routing file {path}: {error.strerror}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{_where(e['loc'])}{e['msg'].removeprefix('Value error, ')}" for e in error.errors())
        raise UsageError(f"routing file {path}: {wrong}") from None
    except yaml.MarkedYAMLError as error:
        # The problem alone: a whole error would quote the line, and a secret with it.
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise UsageError(f"routing file {path}{line}: {error.problem}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(f"routing file {path}: {error}") from None


def _where(location: Iterable[int | str]) -> str:
    # A slip of the pen can make a key of a URL.
    dotted = ".".join(str(part) if _PLAIN_KEY.fullmatch(str(part)) else "(a key)" for part in location)
    return f"{dotted}: " if dotted else ""


def _filled(recipients: object, environ: Mapping[str, str]) -> object:
    if not isinstance(recipients, dict):
        return recipients
    return {name: _with_secrets(name, entry, environ) for name, entry in recipients.items()}


def _with_secrets(name: object, entry: object, environ: Mapping[str, str]) -> object:
    if not isinstance(entry, dict) or not isinstance(url := entry.get("url"), str):
        return entry
    if has_literal_password(url):
        raise ValueError(f"recipients.{name}.url: a password in clear; write ${{NAME}} and set NAME or NAME_FILE")
    try:
        return {**entry, "url": fill(url, environ)}
    except ValueError as error:
        raise ValueError(f"recipients.{name}.url: {error}") from None
