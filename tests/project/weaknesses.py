"""Known weaknesses of releases, as PyPI's JSON API tells them: where pip-audit looks, too."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import quote

PYPI: Final = "https://pypi.org"
AT_ONCE: Final = 8
PATIENCE: Final = 30.0  # seconds
# What is known and does not reach us, until when that was looked into. Why is said beside it.
ACCEPTED: Final[Mapping[str, date]] = {}

Release = tuple[str, str]  # its name and version


class NotServed(Exception):  # noqa: N818 - a word, as those of monitor.errors
    """Why the index cannot be asked, in one line."""


@dataclass(frozen=True, slots=True)
class Weakness:
    """One known weakness of a release; `mended_in`: the releases without it."""

    release: Release
    id: str
    mended_in: tuple[str, ...]

    def __str__(self) -> str:
        name, version = self.release
        todo = (
            f"lock {' or '.join(self.mended_in)}"
            if self.mended_in
            else "no release is without it: see whether it reaches us"
        )
        return f"{name} {version}: {self.id}; {todo}"


def known(
    releases: Iterable[Release], index: str = PYPI, accepted: Mapping[str, date] = ACCEPTED, today: date | None = None
) -> list[Weakness]:
    """The weaknesses of these releases that are not accepted today. Raises NotServed."""
    on = today or datetime.now(UTC).date()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda release: _of(release, index), releases))
    return [weak for some in found for weak in some if accepted.get(weak.id, date.min) < on]


def _of(release: Release, index: str) -> list[Weakness]:
    name, version = release
    where = f"{index}/pypi/{quote(name)}/{quote(version)}/json"
    try:
        with urllib.request.urlopen(where, timeout=PATIENCE) as answer:  # noqa: S310 - the index's address is ours
            told: list[dict[str, Any]] = json.load(answer)["vulnerabilities"]
    except urllib.error.HTTPError as error:
        raise NotServed(f"{index} does not tell them ({where}: {error.code})") from None
    except (OSError, ValueError, KeyError) as error:
        raise NotServed(f"{index} does not tell them ({where}: {type(error).__name__})") from None
    return [
        Weakness(release, each["id"], tuple(each.get("fixed_in") or ())) for each in told if not each.get("withdrawn")
    ]
