"""The Helm chart's Job before each install and upgrade: the schema, then the rights."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chart import pod, rendered, steps
from tests.support.postgres import PostgresCluster

SECRETS = "/run/secrets/safety-monitor"


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_the_job_migrates_and_then_gives_the_worker_its_rights(
    postgres: PostgresCluster, postgres_url: str, tmp_path: Path
) -> None:
    """Its steps are run as they are rendered, in folders of this machine."""
    for name, value in (("safety_monitor_database_url", postgres_url), ("worker_password", "secret")):
        (tmp_path / name).write_text(f"{value}\n")  # kubectl takes a file as it is, with the newline at its end
    for name, text in rendered({})["ConfigMap roles"]["data"].items():
        (tmp_path / name).write_text(text)

    def here(path: str) -> str:
        return path.replace(SECRETS, str(tmp_path)).replace("/deploy/", f"{tmp_path}/")

    both = steps({})
    assert list(both) == ["migrate", "roles"]
    for step in both.values():
        command = step.get("command") or [sys.executable, "-m", "monitor", *step["args"]]
        given = {each["name"]: here(each["value"]) for each in step.get("env", ())}
        subprocess.run(
            [here(each) for each in command], env={**os.environ, **given}, check=True, capture_output=True, timeout=120
        )

    database = postgres_url.rpartition("/")[2]
    assert postgres.sql("SELECT count(*) FROM audit_log", database=database, user="worker") == "0"


def test_what_the_job_reads_is_there_before_it() -> None:
    manifests = rendered({})
    files, job = (manifests[kind]["metadata"]["annotations"] for kind in ("ConfigMap roles", "Job"))
    assert files["helm.sh/hook"] == job["helm.sh/hook"]
    assert int(files["helm.sh/hook-weight"]) < 0
    assert pod(manifests["Job"])["securityContext"] == {"fsGroup": 10001}


def test_whoever_gives_rights_by_hand_has_the_schema_migrated_alone() -> None:
    assert steps({"migration": {"roles": {"enabled": False}}}).keys() == {"migrate"}
