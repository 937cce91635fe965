"""`verify`: is the log whole, and are its decisions those its facts lead to? Trusts nothing that was stored."""

from collections.abc import Callable
from dataclasses import replace

from monitor.audit.checker import Broken, Checker
from monitor.audit.clock import clocks
from monitor.audit.integrity import PAGE, check_log
from monitor.audit.ports import AuditLog
from monitor.audit.proof.anchors import Anchors
from monitor.audit.redactions import check
from monitor.audit.rederiving import IN_A_THREAD, Aside, Rest, check_decisions, no_rest
from monitor.audit.verdict import Verdict
from monitor.protocol.model import Protocol


async def verify(
    log: AuditLog,
    protocol: Protocol,
    progress: Callable[[int], None] | None = None,
    anchors: Anchors | None = None,
    *,
    since: int = 0,
    checker: Checker | None = None,
    size: int = PAGE,
    rest: Rest = no_rest,
    aside: Aside = IN_A_THREAD,
) -> Verdict:
    """Check the whole log, then every patient's decisions. `progress` is told the number of records done.

    Decisions are derived under the files that the log holds; `protocol` is the one for a log that holds none.
    `anchors`: the checkpoints it must agree with. `since`: the size of one that is trusted; of the records it counts
    the leaves alone are looked at, and decisions of those patients who have newer ones. `checker`: goes on from where
    it stands. `rest` is awaited after each page of `size` records and after each patient, by whoever has other work.
    `aside`: where patients are derived.

    What is appended meanwhile is left to the next run. Raises DatabaseUnavailable, SchemaMissing.
    """
    swept = clocks(await log.positions())
    checker = checker or Checker()
    async for found in check_log(log, checker, anchors or Anchors(), since=since, size=size):
        if isinstance(found, Broken):
            return Verdict(records=checker.head.sequence, broken=found)
        if progress is not None:
            progress(found)
        await rest()
    redactions = check(await log.erasures(), until=checker.head.sequence)
    if redactions.broken is not None:
        return Verdict(records=checker.head.sequence, broken=redactions.broken)
    decided = await check_decisions(
        log, protocol, checker.streams, until=checker.head.sequence, swept=swept, rest=rest, aside=aside
    )
    return replace(
        decided,
        records=checker.head.sequence,
        checkpoints=checker.checkpoints,
        redacted=redactions.redacted,
        returned=redactions.returned,
    )
