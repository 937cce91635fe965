"""What is worked out once for an object is remembered while the object is looked at, and then let go."""

import gc
import weakref

from monitor.core.once import LIMIT, Once


class Thing:
    """An object of no other use."""


def counted() -> tuple[Once[Thing, int], list[Thing]]:
    asked: list[Thing] = []

    def number(thing: Thing) -> int:
        asked.append(thing)
        return len(asked)

    return Once(number), asked


def test_an_object_is_judged_once_and_an_equal_one_for_itself() -> None:
    once, asked = counted()
    one, other = Thing(), Thing()
    assert [once(one), once(other), once(one)] == [1, 2, 1]
    assert asked == [one, other]


def test_an_object_that_is_looked_at_again_and_again_stays_known_among_many() -> None:
    once, asked = counted()
    one = Thing()
    once(one)
    for _ in range(5 * LIMIT):
        once(Thing())
        once(one)
    assert asked.count(one) == 1


def test_what_is_looked_at_no_more_is_let_go() -> None:
    once: Once[Thing, str] = Once(lambda thing: type(thing).__name__)
    left = Thing()
    once(left)
    alive = weakref.ref(left)
    del left
    for _number in range(2 * LIMIT + 1):
        once(Thing())
    gc.collect()
    assert alive() is None
