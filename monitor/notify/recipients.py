"""One recipient: an opaque name, and one Apprise URL whose secrets come from the environment or from files."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from monitor.settings import CREDENTIALS_VARIABLE, SECRETS_VARIABLE

# A role or a place, never a person: it stands in receipts and in metrics.
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LITERAL_PASSWORD = re.compile(r"://[^/@?#]*:(?!\$\{)[^/@?#]+@")

# Apprise's own `optional` reports a failure as a success, its `retry` would hide attempts from the log.
_REFUSED_OPTIONS = {"optional": "it hides failures", "retry": "the outbox retries", "wait": "the outbox retries"}


class Section(BaseModel):
    """A part of the routing file. Frozen; a key it does not know is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Recipient(Section):
    """Where one recipient's notices go.

    `channel`: recipients of one channel share its threads and its rate (default: a channel of its own).
    `at_once`: sends at a time. `per_minute`: sends a minute. `timeout_seconds`: for each wait on the network.
    """

    url: SecretStr
    channel: Name | None = None
    at_once: Annotated[int, Field(ge=1, le=16)] = 2
    per_minute: Annotated[int, Field(ge=1)] = 120
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 8.0

    @field_validator("url")
    @classmethod
    def _honest_url(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if "://" not in url:
            raise ValueError("must be an Apprise URL, such as mailtos://... or json://...")
        options = {key.lower() for key, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        for option, reason in _REFUSED_OPTIONS.items():
            if option in options:
                raise ValueError(f"?{option}= is refused: {reason}")
        return value


def has_literal_password(url: str) -> bool:
    """True if a URL holds a password in clear instead of `${NAME}`."""
    return _LITERAL_PASSWORD.search(url) is not None


def fill(url: str, environ: Mapping[str, str]) -> str:
    """Put secrets in the place of `${NAME}`: from the variable NAME, the file that NAME_FILE names, or a secret file.

    A secret file is called as the variable in lower case, and lies where those of the settings lie.

    They are quoted for a URL, unless `${NAME}` is the whole of it. Raises ValueError naming the variable that is
    missing or the file that cannot be read.
    """
    if whole := _PLACEHOLDER.fullmatch(url):
        return _secret(whole.group(1), environ)
    return _PLACEHOLDER.sub(lambda found: quote(_secret(found.group(1), environ), safe=""), url)


def _secret(name: str, environ: Mapping[str, str]) -> str:
    if value := environ.get(name):
        return value
    if file := environ.get(f"{name}_FILE") or _secret_file(name, environ):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ValueError(f"{name}_FILE: {error.strerror}") from None
    raise ValueError(f"neither {name} nor {name}_FILE is set in the environment, and there is no secret file")


def _secret_file(name: str, environ: Mapping[str, str]) -> Path | None:
    folders = (
        Path(folder) for variable in (SECRETS_VARIABLE, CREDENTIALS_VARIABLE) if (folder := environ.get(variable))
    )
    return next((file for folder in folders if (file := folder / name.lower()).is_file()), None)
