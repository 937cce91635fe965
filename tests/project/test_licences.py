"""What is installed where the monitor runs may be used under Apache-2.0: each licence is one of a list."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCK = Path(__file__).parents[2] / "requirements.txt"
# Permissive, or weak copyleft that a library may be used under as it comes (MPL: certifi; LGPL: python-stdnum).
ALLOWED = re.compile(r"Apache|MIT|BSD|ISC|PSF|Python Software Foundation|Unlicense|Repoze|MPL|Mozilla|LGPL|Lesser")
FORBIDDEN = re.compile(r"\bA?GPL|(?<!Lesser )General Public|Affero|SSPL|BUSL|Commons Clause", re.IGNORECASE)


def licence_of(name: str) -> str | None:
    """What a distribution says of its licence; None if it is not installed on this platform."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    words = [*(told.get_all("License-Expression") or []), *(told.get_all("License") or [])]
    words += [each for each in told.get_all("Classifier") or [] if each.startswith("License")]
    return "; ".join(word.partition("\n")[0] for word in words)


def test_every_licence_is_one_that_may_be_used() -> None:
    names = re.findall(r"^([\w.-]+)==", LOCK.read_text(), re.MULTILINE)
    told = {name: licence for name in names if (licence := licence_of(name)) is not None}

    assert len(told) > 50
    assert {name: said for name, said in told.items() if not ALLOWED.search(said) or FORBIDDEN.search(said)} == {}
