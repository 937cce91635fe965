"""What the runbook tells somebody to type does what it says."""

import asyncio
import re
import shlex
import sys
from pathlib import Path

from monitor.health import Health
from monitor.http import HttpSite
from monitor.metrics import Metrics
from monitor.settings import Settings

RUNBOOK = (Path(__file__).parents[2] / "deploy/runbook.md").read_text()
TOKEN = "a-token-of-this-test"
IN_THE_CONTAINER = "/run/secrets/safety_monitor_http_token"


async def test_a_worker_that_is_not_ready_says_why_to_who_types_the_runbooks_line(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    site = HttpSite(metrics=Metrics(), readiness=Health(within=30).report, port=0, token=TOKEN)
    await site.start()
    port = str(Settings.model_fields["http_port"].default)
    (line,) = re.findall(r"^ +(docker compose exec worker python -c .*)$", RUNBOOK, re.MULTILINE)
    assert (port in line, IN_THE_CONTAINER in line) == (True, True)
    code = shlex.split(line)[-1].replace(port, str(site.port)).replace(IN_THE_CONTAINER, str(tmp_path / "token"))

    asked = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    told, _ = await asked.communicate()
    await site.stop()

    assert asked.returncode == 0
    assert b'"ready": false' in told
    assert b'"reason"' in told
