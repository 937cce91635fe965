"""Patients derived side by side, each in a process of its own: nothing of one rests on another."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from monitor.audit.rederiving import IN_A_THREAD, Aside
from monitor.errors import UsageError


@contextmanager
def side_by_side(jobs: int) -> Iterator[Aside]:
    """Where to derive patients: in so many processes, of some 100 MB each, with two patients for each at once.

    Raises UsageError if one of them does not live.
    """
    if jobs < 2:
        yield IN_A_THREAD
        return
    # spawn: a process forked while the database's threads run could find their locks taken for ever
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        try:
            yield Aside(pool, at_once=2 * jobs)
        except BrokenProcessPool as error:
            raise UsageError(
                f"one of {jobs} processes was ended from outside, as for want of memory: fewer --jobs"
            ) from error
