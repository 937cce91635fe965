"""Units by a UCUM library: is it a unit, does it fit, and by which exact factor.

ucumvert parses UCUM into pint; numbers are exact fractions, so that 1200 /uL is 1.2 10*9/L and not nearly so. Loading
takes half a second and a parse a millisecond: both happen once.
"""

import re
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import pint
import ucumvert  # type: ignore[import-untyped]  # it ships no type hints

MAX_UNIT: Final = 64  # characters; the longest unit seen in a laboratory feed has 30
MAX_DEPTH: Final = 4  # parentheses; the grammar is ambiguous in them, and so slow
_SAFE = re.compile(r"[!-~]+", re.ASCII)  # UCUM is 7-bit, without spaces
_ANNOTATION = re.compile(r"\{[^{}]*\}")
# An exponent of more than two digits, or a factor of more than nine, measures nothing, and 10*99999999 takes minutes.
_ABSURD = re.compile(r"(?:[*^\]A-Za-z'%][+-]?\d{3,})|\d{10,}", re.ASCII)
# ucumvert drops annotations: mL/min/{1.73_m2}, per body surface, would pass for mL/min.
_NORMALISED = re.compile(r"/\{|\{[^{}]*m2[^{}]*\}", re.ASCII)
_ARBITRARY = re.compile(r"\[(?!pp)")  # [IU], [CFU]: in UCUM they fit nothing but themselves; [ppm] is a share
_EXACT = Context(prec=80)  # thirty digits of a value by those of any factor


class UnitUnknownError(ValueError):
    """The unit is absent, or not UCUM."""


class UnitMismatchError(ValueError):
    """A unit, but not one of what was measured."""


class _ExactTransformer(ucumvert.UcumToPintTransformer):  # type: ignore[misc]  # an untyped base
    """Keeps every magnitude a fraction: pint starts from int, and int division and negative powers give floats."""

    def simple_unit(self, args: list[Any]) -> Any:
        unit = super().simple_unit(args)
        return self.ureg.Quantity(Fraction(unit.magnitude), unit.units)


@cache
def _library() -> tuple[Any, Any, Any]:
    registry: Any = pint.UnitRegistry(non_int_type=Fraction)
    registry.load_definitions(Path(ucumvert.__file__).parent / "pint_ucum_defs.txt")
    return registry, ucumvert.get_ucum_parser(), _ExactTransformer(ureg=registry)


@lru_cache(maxsize=4096)
def _quantity(unit: str) -> Any:
    """One of the unit as a pint quantity. Raises UnitUnknownError."""
    bare = _ANNOTATION.sub("", unit)
    if len(unit) > MAX_UNIT or not _SAFE.fullmatch(unit) or _ABSURD.search(bare) or bare.count("(") > MAX_DEPTH:
        raise UnitUnknownError(unit)
    registry, parser, transformer = _library()
    try:
        tree = ucumvert.parse_ucum(unit, parser)
        if not bare.strip("./()"):
            return registry.Quantity(Fraction(1))  # an annotation alone is unity in UCUM
        return transformer.transform(tree)
    except Exception as error:  # lark, ucumvert and pint raise a dozen unrelated kinds for a text that is no unit
        raise UnitUnknownError(unit) from error


def require_ucum(unit: str) -> None:
    """Raises UnitUnknownError unless the unit is UCUM."""
    _quantity(unit)


@lru_cache(maxsize=4096)
def factor(unit: str, canonical: str) -> Fraction:
    """By what a value in `unit` is multiplied to be in `canonical`. Raises UnitUnknownError, UnitMismatchError."""
    quantity = _quantity(unit)
    bare = _ANNOTATION.sub("", unit)
    if not bare.strip("./()"):
        raise UnitUnknownError(unit)  # an annotation alone names what was counted, not in what
    if _NORMALISED.search(unit) or _ARBITRARY.search(bare) or ("%" in bare and "%" not in canonical):
        raise UnitMismatchError(unit)
    try:
        ratio = (quantity / _quantity(canonical)).to_root_units()
    except pint.PintError as error:
        raise UnitMismatchError(unit) from error
    if not ratio.unitless:  # an angle or a bit has no dimension, and is no number
        raise UnitMismatchError(unit)
    if not isinstance(ratio.magnitude, Fraction):
        raise UnitMismatchError(unit)  # a logarithmic or otherwise inexact unit is never converted
    return ratio.magnitude


def convert(value: Decimal, unit: str, canonical: str) -> Decimal:
    """The value in the canonical unit, exactly. Raises UnitUnknownError, UnitMismatchError."""
    ratio = factor(unit, canonical)
    if ratio == 1:
        return value
    product = _EXACT.multiply(value, Decimal(ratio.numerator))
    return _EXACT.divide(product, Decimal(ratio.denominator))
