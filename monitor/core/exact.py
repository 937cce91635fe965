"""Exact arithmetic on decimals: a product or difference is never rounded before it is compared.

The context of the standard library rounds to 28 digits; a fact may have 30 (`monitor.events.scalars`), and a value
converted from another unit 80. Products of two such numbers are exact in 200.
"""

from __future__ import annotations

from decimal import Context, Decimal

_EXACT = Context(prec=200)  # significant digits


def times(first: Decimal, second: Decimal) -> Decimal:
    """The product, to the last digit."""
    return _EXACT.multiply(first, second)


def minus(first: Decimal, second: Decimal) -> Decimal:
    """The difference, to the last digit."""
    return _EXACT.subtract(first, second)


def percent_of(share: Decimal, whole: Decimal) -> Decimal:
    """So many percent of the whole, to the last digit."""
    return _EXACT.divide(_EXACT.multiply(share, whole), Decimal(100))


def over(limit: Decimal, share: Decimal) -> Decimal:
    """A limit and so many percent more."""
    return _EXACT.add(limit, percent_of(share, limit))
