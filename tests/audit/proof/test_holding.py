"""`verify` holds the log against every checkpoint: what the database alone cannot show is caught by an old one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from monitor.audit.checker import Broken, Checker
from monitor.audit.integrity import check_log
from monitor.audit.log import SqlAuditLog
from monitor.audit.proof.anchors import Anchors, anchor_of, anchors_in
from monitor.audit.proof.checkpoint import SignedCheckpoint, sign_checkpoint
from monitor.audit.proof.keys import SigningKey
from monitor.audit.proof.making import CheckpointMaker
from monitor.audit.proof.publishing import append_to_file
from monitor.audit.proof.store import ProofStore
from monitor.audit.verify import verify
from monitor.errors import ProofInvalid
from monitor.protocol.model import Protocol
from tests.audit.given import START, at, batch, fact
from tests.audit.proof.rewriting import rewrite, with_another_value, without_one

SIZES = (3, 20, 40)


async def history(log: SqlAuditLog, key: SigningKey) -> list[SignedCheckpoint]:
    """Forty records, with a checkpoint after 3, 20 and 40 of them."""
    maker = CheckpointMaker(ProofStore(log), [key])
    made = []
    for number in range(1, 41):
        await log.append(batch(fact(f"P{number % 3}", number)))
        if number in SIZES:
            made.append(await maker.make(at(number)))
    return [each for each in made if each is not None]


async def found(url: str, anchors: Sequence[SignedCheckpoint], key: SigningKey, **options: Any) -> Broken | int:
    log = await SqlAuditLog.open(url, writing=False)
    outside = [anchor_of(each, "the auditor's safe", [key.verifier]) for each in anchors]
    store = ProofStore(log) if options.pop("stored", False) else None
    held = Anchors(outside, store, [key.verifier])
    told = [each async for each in check_log(log, Checker(), held, **options)]
    await log.close()
    return told[-1]


async def test_an_honest_log_agrees_with_all_its_checkpoints(sql_log: SqlAuditLog, key: SigningKey) -> None:
    made = await history(sql_log, key)
    anchors = Anchors([anchor_of(made[0], "a file", [key.verifier])], ProofStore(sql_log), [key.verifier])
    verdict = await verify(sql_log, Protocol.load(None), anchors=anchors)

    assert verdict.broken is None
    assert verdict.checkpoints == 3


@pytest.mark.parametrize("change", [with_another_value, without_one], ids=["altered", "taken out"])
async def test_a_full_rewrite_of_log_and_head_is_caught_by_an_old_checkpoint(
    url: str, sql_log: SqlAuditLog, key: SigningKey, change: Any
) -> None:
    made = await history(sql_log, key)
    await sql_log.close()
    await rewrite(url, change, "DELETE FROM checkpoints")

    assert not isinstance(await found(url, [], key, stored=True), Broken)  # nothing in the database tells
    caught = await found(url, made[1:2], key, stored=True)
    assert isinstance(caught, Broken)
    assert "the checkpoint of 20 records in the auditor's safe" in str(caught)
    assert not isinstance(await found(url, made[:1], key), Broken)  # one from before the change


async def test_the_stored_checkpoints_narrow_down_where_a_rewrite_began(
    url: str, sql_log: SqlAuditLog, key: SigningKey
) -> None:
    await history(sql_log, key)
    await sql_log.close()
    await rewrite(url, with_another_value)

    caught = await found(url, [], key, stored=True)
    assert isinstance(caught, Broken)
    assert caught.sequence == 4
    assert "one up to 20" in caught.what


async def test_a_log_that_was_cut_off_with_its_head_is_caught(url: str, sql_log: SqlAuditLog, key: SigningKey) -> None:
    made = await history(sql_log, key)
    await sql_log.close()
    await rewrite(url, lambda records: records[:30], "DELETE FROM checkpoints WHERE size > 30")

    caught = await found(url, made, key, stored=True)
    assert caught == Broken(31, None, "is missing: the checkpoint of 40 records in the auditor's safe counts it")


async def test_a_rewriter_cannot_sign_checkpoints_of_his_own(url: str, sql_log: SqlAuditLog, key: SigningKey) -> None:
    await history(sql_log, key)
    await sql_log.close()
    await rewrite(url, with_another_value, "DELETE FROM checkpoints")
    log = await SqlAuditLog.open(url)
    await CheckpointMaker(ProofStore(log), [SigningKey.generate(key.name)]).make(START)
    await log.close()

    caught = await found(url, [], key, stored=True)
    assert isinstance(caught, Broken)
    assert "signed by none of the keys" in caught.what


async def test_a_checkpoint_whose_columns_were_changed_is_named(
    url: str, sql_log: SqlAuditLog, key: SigningKey
) -> None:
    await history(sql_log, key)
    await sql_log.close()
    await rewrite(url, lambda records: records, "UPDATE checkpoints SET size = 21 WHERE size = 20")

    caught = await found(url, [], key, stored=True)
    assert isinstance(caught, Broken)
    assert "its note is of another size or root" in caught.what


@pytest.mark.parametrize(("since", "touched"), [(3, 3), (40, 0), (39, 1)])
async def test_since_a_trusted_checkpoint_later_records_alone_are_checked_in_full(
    sql_log: SqlAuditLog, key: SigningKey, since: int, touched: int
) -> None:
    made = await history(sql_log, key)
    checker = Checker()
    anchors = Anchors([anchor_of(each, "a file", [key.verifier]) for each in made], None, [key.verifier])
    async for last in check_log(sql_log, checker, anchors, since=since):
        assert not isinstance(last, Broken)

    assert checker.head == await sql_log.head()
    assert len(checker.streams) == touched


async def test_since_a_trusted_checkpoint_a_changed_leaf_before_it_is_found(
    url: str, sql_log: SqlAuditLog, key: SigningKey
) -> None:
    made = await history(sql_log, key)
    await sql_log.close()
    await rewrite(url, with_another_value)

    assert isinstance(await found(url, made, key, since=20), Broken)


async def test_checkpoints_are_read_from_a_file_with_their_signatures(key: SigningKey, tmp_path: Path) -> None:
    file = tmp_path / "checkpoints"
    for size in SIZES:
        append_to_file(file, sign_checkpoint(size, bytes(32), [key]))

    assert [anchor.size for anchor in anchors_in(file, [key.verifier])] == list(SIZES)
    with pytest.raises(ProofInvalid, match="none of the keys"):
        anchors_in(file, [SigningKey.generate("example.org/trial").verifier])
