"""Which program decides: its release, and a digest of the sources that decide.

A release's number alone would say "the same program" of two builds between which a rule was mended.
"""

from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

import monitor

_DECIDES: Final = ("core", "events", "protocol")
"""The packages that a decision hangs on. The protocol file is on the log by itself."""

_SHOWN: Final = 8
"""Hexadecimal digits: 32 bits tell one build from the few others of a trial."""


def core_version(release: str, sources: Path) -> str:
    """The release with a digest of all modules that decide, such as `0.2.0+core.1a2b3c4d`."""
    digest = sha256()
    for package in _DECIDES:
        for path in sorted((sources / package).rglob("*.py")):
            digest.update(path.relative_to(sources).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{release}+core.{digest.hexdigest()[:_SHOWN]}"


CORE_VERSION: Final = core_version(version("safety-monitor"), Path(monitor.__file__).parent)
"""What every decision of this program is stamped with."""
