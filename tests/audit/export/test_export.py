"""An export: what is in it, that both verifiers find it whole, and that the same log gives the same bytes."""

import ast
import csv
import json
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from monitor.audit.export import verifier
from monitor.audit.export.making import row_of
from monitor.audit.export.selection import Filters
from monitor.audit.log import SqlAuditLog
from monitor.audit.opening import Text
from monitor.audit.proof.keys import SigningKey
from monitor.audit.stored import Stored, envelope
from monitor.errors import UsageError
from tests.audit.export.rig import KEY, by_both, exported, filled, run_script
from tests.audit.given import at, batch, fact

OLD_PYTHON = max(Path.home().glob(".pyenv/versions/3.9.*/bin/python3.9"), default=Path(shutil.which("python3.9") or ""))
FILTERS = [
    Filters(),
    Filters(patient="P1"),
    Filters(patient="P1", since=at(3), until=at(8)),
    Filters(since=at(4)),
    Filters(until=at(5)),
    Filters(since=at(50)),
]


async def stored(log: SqlAuditLog) -> list[tuple[Stored, Text]]:
    pages = [list(map(Stored._make, page)) async for page in log.stored()]
    return [(record, texts[record.sequence]) for page in pages for texts in [await log.texts(page)] for record in page]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
async def test_an_honest_export_is_whole_and_holds_what_was_asked_for(
    sql_log: SqlAuditLog, tmp_path: Path, filters: Filters
) -> None:
    await filled(sql_log)
    out = tmp_path / "export"

    made = await exported(sql_log, out, filters)

    assert by_both(out).broken is None
    rows = [json.loads(line) for line in (out / "records.jsonl").read_text(encoding="utf-8").split("\n")[:-1]]
    assert rows == [row_of(record, text) for record, text in await stored(sql_log) if filters.take(record, text.clear)]
    assert made.records == len(rows)
    with (out / "records.csv").open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert [int(row["sequence"]) for row in read] == [row["sequence"] for row in rows]


@pytest.mark.parametrize("name", ["export", "export.zip"])
@pytest.mark.parametrize("filters", [Filters(), Filters(patient="P2")], ids=str)
async def test_the_same_log_and_filters_give_the_same_bytes_but_for_the_time(
    sql_log: SqlAuditLog, tmp_path: Path, name: str, filters: Filters
) -> None:
    await filled(sql_log)

    for place, made_at in (("a", at(99)), ("b", at(99)), ("c", at(100))):
        (tmp_path / place).mkdir()
        await exported(sql_log, tmp_path / place / name, filters, made_at=made_at)

    first, same, later = (contents(tmp_path / place / name) for place in "abc")
    assert first == same
    assert {file for file in first if first[file] != later[file]} == {"manifest.json"}
    texts = [json.loads(each["manifest.json"]) | {"made_at": ""} for each in (first, later)]
    assert texts[0] == texts[1]
    if name.endswith(".zip"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


async def test_the_manifest_names_every_file_with_its_hash(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log)
    made = await exported(sql_log, tmp_path / "export", Filters(patient="P1"))

    files = contents(tmp_path / "export")
    manifest = json.loads(files["manifest.json"])
    assert {name: sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"} == {
        name: each["sha256"] for name, each in manifest["files"].items()
    }
    assert manifest["counts"]["records"] + manifest["counts"]["left_out"] == manifest["head"]["sequence"] == 40
    assert made.manifest_sha256 == sha256(files["manifest.json"]).hexdigest()
    assert "/P0" not in json.loads(files["records.jsonl"].splitlines()[0])["stream"]


async def test_the_script_needs_nothing_but_its_folder(sqlite_url: str, sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "export")
    await exported(sql_log, tmp_path / "export.zip", Filters(patient="P1"))

    here = run_script(tmp_path / "export")
    there = run_script(tmp_path / "export", str(tmp_path / "export.zip"))

    for done, records in ((here, "40 of 40 records"), (there, "13 of 40 records")):
        assert done.returncode == 0, done.stderr
        assert records in done.stdout
        assert done.stdout.endswith("WHOLE\n")
    assert sqlite_url


@pytest.mark.skipif(not OLD_PYTHON.is_file(), reason="Python 3.9 is not installed")
async def test_the_script_runs_on_python_3_9(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "export", Filters(since=at(2)))

    done = run_script(tmp_path / "export", python=str(OLD_PYTHON))

    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_is_written_in_the_language_of_python_3_9() -> None:
    tree = ast.parse(Path(verifier.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))

    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in modules if name.startswith("monitor")}


async def test_keys_from_elsewhere_are_told_from_those_in_the_export(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log)
    out = tmp_path / "export"
    await exported(sql_log, out)
    (tmp_path / "held").write_text(KEY.verifier.line)
    (tmp_path / "other").write_text(SigningKey("example.org/trial", bytes(32)).verifier.line)

    own, held, other = (run_script(out, *which) for which in ([], ["--keys", "held"], ["--keys", "other"]))

    assert "a key that came with the export" in own.stdout
    assert "the key you gave" in held.stdout
    assert (other.returncode, "signed by none of the keys" in other.stderr) == (1, True)


@pytest.mark.parametrize("content", [None, "", "# no key\n", "not a key", b"\xff"])
async def test_keys_that_cannot_be_used_are_no_finding_about_the_export(
    sql_log: SqlAuditLog, tmp_path: Path, content: str | bytes | None
) -> None:
    await filled(sql_log)
    await exported(sql_log, tmp_path / "export")
    if content is not None:
        (tmp_path / "keys").write_bytes(content.encode() if isinstance(content, str) else content)

    done = run_script(tmp_path / "export", "--keys", "keys")

    assert (done.returncode, done.stdout, "BROKEN" in done.stderr) == (2, "", False)
    assert "--keys keys" in done.stderr


async def test_what_a_spreadsheet_takes_for_a_formula_is_text(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await sql_log.append(batch(fact(actor="=HYPERLINK(1)"), fact(actor="@SUM(A1)"), fact(actor="nobody")))
    await exported(sql_log, tmp_path / "export")

    with (tmp_path / "export" / "records.csv").open(encoding="utf-8-sig", newline="") as file:
        actors = [row["actor"] for row in csv.DictReader(file)]

    assert actors == ["'=HYPERLINK(1)", "'@SUM(A1)", "nobody"]


async def test_alerts_are_shown_as_their_last_change_left_them(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log, rounds=2)
    later = '{"alert":{"alert_id":"a-0","status":"withdrawn"},"change":"withdrawn"}'
    await sql_log.append(batch(fact("P0", stream="alert/P0", kind="safety.alert.withdrawn.v1", payload=later)))
    await exported(sql_log, tmp_path / "export")

    with (tmp_path / "export" / "alerts.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(row["patient"], row["alert_id"], row["status"], row["rule"]) for row in csv.DictReader(file)]

    assert rows == [("P0", "a-0", "withdrawn", "stop.relapse"), ("P1", "a-1", "firing", "stop.relapse")]


async def test_an_empty_log_has_an_export_too(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await exported(sql_log, tmp_path / "export")

    assert by_both(tmp_path / "export").broken is None


async def test_an_export_is_private_and_never_written_over(sql_log: SqlAuditLog, tmp_path: Path) -> None:
    await filled(sql_log, rounds=1)
    await exported(sql_log, tmp_path / "export")
    await exported(sql_log, tmp_path / "export.zip")

    assert (tmp_path / "export").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "export").glob("*.*")} == {0o600}
    assert (tmp_path / "export.zip").stat().st_mode & 0o777 == 0o600
    for name in ("export", "export.zip"):
        with pytest.raises(UsageError, match="never written over"):
            await exported(sql_log, tmp_path / name)
    assert not leftovers(tmp_path)


async def test_the_envelope_of_the_script_is_the_one_that_is_hashed(sql_log: SqlAuditLog) -> None:
    await filled(sql_log, rounds=2)

    for record, text in await stored(sql_log):
        row = row_of(record, text)
        fields = {name: row[name] for name in verifier.COLUMNS if name not in verifier.NOT_IN_ENVELOPE}
        assert verifier.canonical(fields).encode() == envelope(record)


def leftovers(folder: Path) -> list[Path]:
    """What an export that failed or ended has left lying about."""
    return list(folder.glob(".*"))


def contents(export: Path) -> dict[str, bytes]:
    """Every file of an export."""
    if export.is_file():
        with zipfile.ZipFile(export) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    return {str(path.relative_to(export)): path.read_bytes() for path in export.rglob("*") if path.is_file()}
