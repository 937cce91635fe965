"""The broker is held against the recorded positions: nothing may be missing, nothing may have changed."""

import pytest

from monitor.errors import PositionMismatch
from monitor.recorder.guard import Walk
from monitor.recorder.inputs import Input


def _message(offset: int, value: bytes = b"x") -> Input:
    return Input("safety.lab", 0, offset, None, value)


def test_the_first_message_of_an_unknown_partition_may_have_any_offset() -> None:
    walk = Walk({})
    assert walk.step(_message(41)) is False
    assert walk.after["safety.lab", 0].next_offset == 42


def test_a_message_that_never_came_stops_the_worker() -> None:
    walk = Walk({})
    walk.step(_message(0))
    with pytest.raises(PositionMismatch, match="offsets 1 to 1 never came"):
        walk.step(_message(2))


def test_the_last_message_may_come_again_as_it_was() -> None:
    walk = Walk({})
    walk.step(_message(0, b"same"))
    assert walk.step(_message(0, b"same")) is True
    assert walk.after["safety.lab", 0].next_offset == 1


def test_other_bytes_at_the_last_recorded_offset_stop_the_worker() -> None:
    walk = Walk({})
    walk.step(_message(0, b"one"))
    with pytest.raises(PositionMismatch, match="other bytes at the recorded offset 0"):
        walk.step(_message(0, b"another"))
