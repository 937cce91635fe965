import mailbox
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 120  # seconds


def start(out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "demo", "--patients", "4", "--days", "330", "--seed", "7", "--out", str(out)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "100", "TERM": "dumb"},
        start_new_session=True,
    )


def running_in(folder: Path) -> list[str]:
    """The processes whose environment or command names that folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text and int(process.name) != os.getpid():
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def test_the_demonstration_keeps_its_promises_and_says_where_everything_is(tmp_path: Path) -> None:
    demo = start(tmp_path)
    said, _ = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 0, said
    for part in ("alerts by rule", "as the safety officer reads it", "Restart windows", "in quarantine", "events/s"):
        assert part in said
    assert "NO " not in said
    (folder,) = tmp_path.iterdir()
    assert {"trial.jsonl", "audit-log.db", "mails.mbox", "metrics.prom"} <= {path.name for path in folder.iterdir()}
    assert len(mailbox.mbox(folder / "mails.mbox")) > 0
    assert running_in(tmp_path) == []


def test_a_demonstration_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start(tmp_path)
    limit = time.monotonic() + LIMIT
    while not list(tmp_path.glob("demo-*/audit-log.db")):
        assert time.monotonic() < limit
        assert demo.poll() is None
        time.sleep(0.1)
    demo.send_signal(signal.SIGTERM)
    said, _ = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 130, said
    assert said.strip().endswith("safety-monitor: interrupted")
    assert running_in(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    demo = start(tmp_path / "file")
    said, _ = demo.communicate(timeout=LIMIT)

    assert demo.returncode == 2
    assert said.startswith("safety-monitor: ")
    assert len(said.splitlines()) == 1
