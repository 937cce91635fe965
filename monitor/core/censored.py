"""Results against a limit, of which a laboratory may have said only "less than" or "more than" so much.

True or False where that is certain, else None: such a result says nothing.
"""

from __future__ import annotations

from decimal import Decimal

from monitor.events.lab import LabResulted


def is_below(result: LabResulted, limit: Decimal) -> bool | None:
    """Is the quantity below the limit?"""
    if result.quantity is None:
        return None
    if result.comparator == "<":
        return True if result.quantity <= limit else None
    if result.comparator == ">":
        return False if result.quantity >= limit else None
    return result.quantity < limit


def is_above(result: LabResulted, limit: Decimal) -> bool | None:
    """Is the quantity above the limit?"""
    if result.quantity is None:
        return None
    if result.comparator == ">":
        return True if result.quantity >= limit else None
    if result.comparator == "<":
        return False if result.quantity <= limit else None
    return result.quantity > limit
