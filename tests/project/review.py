"""`make review`: the locked releases as the index knows them today; 1 if one was taken back (yanked).

pip resolves the lock as an installation would, hashes and all, and reports; nothing is installed. Known weaknesses are
not looked up: their databases are no part of a package index. Where one is reachable:
`pip-audit --require-hashes --disable-pip -r requirements.txt`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

LOCKS: Final = ("requirements.txt", "requirements-dev.txt")


def main() -> int:
    """Print a line for each lock."""
    taken_back = 0
    for lock in LOCKS:
        with tempfile.NamedTemporaryFile(suffix=".json") as report:
            command = [
                sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--dry-run",
                "--ignore-installed", "--no-deps", "--require-hashes", "--report", report.name, "-r", lock,
            ]  # fmt: skip
            subprocess.run(command, check=True)
            found: list[dict[str, Any]] = json.loads(Path(report.name).read_text())["install"]
        yanked = [each["metadata"]["name"] for each in found if each.get("is_yanked")]
        taken_back += len(yanked)
        print(f"{lock}: {len(found)} releases with their hashes, taken back: {', '.join(yanked) or 'none'}")
    return 1 if taken_back else 0


if __name__ == "__main__":
    sys.exit(main())
