"""`make review`: the locked releases as the index knows them today.

1 if one was taken back (yanked), or has a known weakness that nobody has looked into. pip resolves the lock as an
installation would, hashes and all, and reports; nothing is installed.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.project.weaknesses import NotServed, Release, known

LOCKS: Final = ("requirements.txt", "requirements-dev.txt")


def main() -> int:
    """Print a line for each lock, and what is known of their releases."""
    taken_back, releases = 0, set[Release]()
    for lock in LOCKS:
        found = _resolved(lock)
        yanked = [each["metadata"]["name"] for each in found if each.get("is_yanked")]
        taken_back += len(yanked)
        releases |= {(each["metadata"]["name"], each["metadata"]["version"]) for each in found}
        print(f"{lock}: {len(found)} releases with their hashes, taken back: {', '.join(yanked) or 'none'}")
    return 1 if _weak(releases) or taken_back else 0


def _resolved(lock: str) -> list[dict[str, Any]]:
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [
            sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--dry-run",
            "--ignore-installed", "--no-deps", "--require-hashes", "--report", report.name, "-r", lock,
        ]  # fmt: skip
        subprocess.run(command, check=True)
        found: list[dict[str, Any]] = json.loads(Path(report.name).read_text())["install"]
    return found


def _weak(releases: set[Release]) -> bool:
    try:
        weaknesses = known(sorted(releases))
    except NotServed as why:
        print(f"known weaknesses: NOT LOOKED UP: {why}; where one is reachable: make review, or pip-audit -s osv")
        return False
    print("known weaknesses: " + ("".join(f"\n  {weak}" for weak in weaknesses) or f"none in {len(releases)} releases"))
    return bool(weaknesses)


if __name__ == "__main__":
    sys.exit(main())
