"""Proofs that a stranger checks with nothing but the verifier key; and the commands an operator makes them with."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.checkpoint import read_checkpoint
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.proving import check_proof, prove_consistency, prove_inclusion
from monitor.audit.proof.store import ProofStore
from monitor.audit.proof.tree import TILE
from monitor.audit.schema import upgrade
from monitor.cli.main import main
from monitor.errors import ProofInvalid, UsageError
from tests.audit.given import START, batch, fact
from tests.audit.proof.rewriting import rewrite, unchanged

SIZES = (1, 5, TILE, 2 * TILE + 17)


async def history(log: SqlAuditLog, key: SigningKey) -> None:
    maker = CheckpointMaker(ProofStore(log), [key])
    done = 0
    for size in SIZES:
        await log.append(batch(*(fact(f"P{number % 3}", number) for number in range(done, size))))
        await maker.make(START)
        done = size


@pytest.mark.parametrize("sequence", [1, 2, TILE, TILE + 1, 2 * TILE, SIZES[-1]])
async def test_a_stranger_can_check_that_a_record_is_in_the_log(
    sql_log: SqlAuditLog, store: ProofStore, key: SigningKey, sequence: int
) -> None:
    await history(sql_log, key)
    proof = json.loads(json.dumps(await prove_inclusion(store, sequence, with_payload=True)))

    shown = check_proof(proof, [key.verifier])
    assert shown == f"record {sequence} is in the log example.org/trial of {SIZES[-1]} records, with this text"


async def test_a_proof_shows_no_payload_unless_it_is_asked_for(
    sql_log: SqlAuditLog, store: ProofStore, key: SigningKey
) -> None:
    await history(sql_log, key)
    proof = await prove_inclusion(store, 7)

    assert "payload" not in proof
    assert '"number"' not in json.dumps(proof)
    assert "payload" not in check_proof(proof, [key.verifier])


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: proof | {"envelope": proof["envelope"].replace("lis", "lab")},
        lambda proof: proof | {"sequence": 8},
        lambda proof: proof | {"path": proof["path"][:-1]},
        lambda proof: proof | {"path": ["%%", *proof["path"][1:]]},
        lambda proof: proof | {"path": None},
        lambda proof: proof | {"payload": proof["payload"] + " "},
        lambda proof: proof | {"clear": '{"number":8}'},
        lambda proof: proof | {"key": "00" * 32},
        lambda proof: proof | {"salt": "x"},
        lambda proof: proof | {"checkpoint": proof["checkpoint"].replace("example.org", "example.com")},
        lambda proof: proof | {"checkpoint": 7},
        lambda proof: proof | {"format": "another"},
        lambda proof: {"format": proof["format"]},
    ],
)
async def test_a_forged_proof_shows_nothing(
    sqlite_url: str, key: SigningKey, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    await upgrade(sqlite_url)
    log = await SqlAuditLog.open(sqlite_url)
    await history(log, key)
    proof = await prove_inclusion(ProofStore(log), 7, with_payload=True)
    await log.close()

    assert check_proof(proof, [key.verifier])
    with pytest.raises(ProofInvalid):
        check_proof(change(proof), [key.verifier])


async def test_a_changed_record_cannot_be_proved(url: str, sql_log: SqlAuditLog, key: SigningKey) -> None:
    await history(sql_log, key)
    await sql_log.close()
    await rewrite(url, unchanged, "UPDATE audit_log SET actor = 'nobody' WHERE sequence = 7")
    log = await SqlAuditLog.open(url, writing=False)

    with pytest.raises(ProofInvalid, match="record 7 is not what the checkpoint"):
        await prove_inclusion(ProofStore(log), 7)
    assert await prove_inclusion(ProofStore(log), 8)
    await log.close()


async def test_every_checkpoint_is_shown_to_continue_every_earlier_one(
    sql_log: SqlAuditLog, store: ProofStore, key: SigningKey
) -> None:
    await history(sql_log, key)
    signed = [read_checkpoint(kept.note) for kept in await store.checkpoints(0, 10_000)]

    for index, old in enumerate(signed):
        for new in signed[index:]:
            proof = await prove_consistency(store, old, new)
            shown = f"the log example.org/trial of {new.size} records continues that of {old.size}"
            assert check_proof(proof, [key.verifier]) == shown
            with pytest.raises(ProofInvalid):
                check_proof(proof | {"path": [*proof["path"], "AAAA"]}, [key.verifier])
    with pytest.raises(UsageError, match="more records"):
        await prove_consistency(store, signed[1], signed[0])


async def test_a_record_beyond_every_checkpoint_has_no_proof_yet(
    sql_log: SqlAuditLog, store: ProofStore, key: SigningKey
) -> None:
    with pytest.raises(UsageError, match="no checkpoint counts record 1"):
        await prove_inclusion(store, 1)
    await history(sql_log, key)
    with pytest.raises(UsageError, match="no checkpoint counts record 9999"):
        await prove_inclusion(store, 9_999)


class TestCommands:
    @pytest.fixture
    def house(self, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A log of five records; the working directory."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SAFETY_MONITOR_DATABASE_URL", sqlite_url)
        monkeypatch.setenv("SAFETY_MONITOR_CHECKPOINT_KEY", "key")
        monkeypatch.setenv("SAFETY_MONITOR_CHECKPOINT_FILE", "checkpoints")
        asyncio.run(upgrade(sqlite_url))
        self.more(sqlite_url, 5)
        return tmp_path

    def more(self, url: str, count: int) -> None:
        async def write() -> None:
            log = await SqlAuditLog.open(url)
            done = (await log.head()).sequence
            await log.append(batch(*(fact("P1", number) for number in range(done, done + count))))
            await log.close()

        asyncio.run(write())

    def run(self, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
        assert main(words) == code, capsys.readouterr().err
        told = capsys.readouterr()
        return told.out if code == 0 else told.err

    def test_a_key_is_its_owner_s_alone_and_never_written_over(
        self, house: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = self.run(capsys, "audit", "keygen", "--out", "key", "--name", "example.org/trial")

        assert line.startswith("example.org/trial+")
        assert (house / "key").stat().st_mode & 0o777 == 0o600
        assert "never written over" in self.run(capsys, "audit", "keygen", "--out", "key", code=2)
        assert "another log" in self.run(capsys, "audit", "keygen", "--out", "key", "--add", "--name", "b", code=2)

    def test_from_key_to_checked_proof(
        self, house: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ring = self.run(capsys, "audit", "keygen", "--out", "key", "--name", "example.org/trial")
        assert "no checkpoint yet" in self.run(capsys, "audit", "checkpoint", code=2)
        first = self.run(capsys, "audit", "checkpoint", "--make")
        ring += self.run(capsys, "audit", "keygen", "--out", "key", "--add")
        self.more(sqlite_url, 3)
        second = self.run(capsys, "audit", "checkpoint", "--make")
        (house / "ring").write_text(f"# the trial's keys\n{ring}")
        (house / "old").write_text(first)
        (house / "proof").write_text(self.run(capsys, "audit", "prove", "3"))
        (house / "grown").write_text(self.run(capsys, "audit", "consistency", "old", "8"))
        assert self.run(capsys, "audit", "consistency", "5", "8") == (house / "grown").read_text()
        assert second.count("\u2014 ") == 2
        assert self.run(capsys, "audit", "checkpoint") == second

        # The stranger has neither database nor secret.
        monkeypatch.delenv("SAFETY_MONITOR_DATABASE_URL")
        monkeypatch.delenv("SAFETY_MONITOR_CHECKPOINT_KEY")
        Path(sqlite_url.removeprefix("sqlite:///")).unlink()
        retired, newer = ring.splitlines()
        assert "record 3 is in the log" in self.run(capsys, "audit", "check", "proof", "--keys", "ring")
        assert "continues that of 5" in self.run(capsys, "audit", "check", "grown", "--key", retired)
        assert self.run(capsys, "audit", "check", "checkpoints", "--keys", "ring").count("signed by") == 2
        assert "none of the keys" in self.run(capsys, "audit", "check", "grown", "--key", newer, code=1)
        assert "no key to check with" in self.run(capsys, "audit", "check", "proof", code=2)

    @pytest.mark.usefixtures("house")
    def test_verify_names_the_checkpoints_it_held_the_log_against(
        self, sqlite_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.run(capsys, "audit", "keygen", "--out", "key", "--name", "example.org/trial")
        self.run(capsys, "audit", "checkpoint", "--make")
        self.more(sqlite_url, 1)
        self.run(capsys, "audit", "checkpoint", "--make")

        assert "2 checkpoints agree with the log\n" in self.run(capsys, "verify")
        assert "2 checkpoints agree with the log\n" in self.run(capsys, "verify", "--since", "checkpoints")

    def test_verify_finds_by_an_auditor_s_checkpoint_that_all_was_rewritten(
        self, house: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.run(capsys, "audit", "keygen", "--out", "key", "--name", "example.org/trial")
        (house / "safe").write_text(self.run(capsys, "audit", "checkpoint", "--make"))
        asyncio.run(rewrite(sqlite_url, lambda records: records[1:], "DELETE FROM checkpoints"))
        monkeypatch.delenv("SAFETY_MONITOR_CHECKPOINT_FILE")

        assert "records whole" in self.run(capsys, "verify")
        told = self.run(capsys, "verify", "--checkpoint", "safe", code=1)
        assert "BROKEN: record 5: is missing: the checkpoint of 5 records in safe counts it" in told

    @pytest.mark.usefixtures("house")
    def test_since_needs_a_key_to_trust_the_checkpoint_by(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.run(capsys, "audit", "keygen", "--out", "key")
        self.run(capsys, "audit", "checkpoint", "--make")
        monkeypatch.delenv("SAFETY_MONITOR_CHECKPOINT_KEY")

        assert "signatures not checked" in self.run(capsys, "verify")
        assert "must be checked" in self.run(capsys, "verify", "--since", "checkpoints", code=2)
