"""What an expression reads: the metric names of a PromQL text, and the names that the monitor has."""

import re
from collections.abc import Iterator

import promql_parser
from promql_parser import MatrixSelector, VectorSelector

from monitor.metrics import Metrics

SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "info": ("_info",), "gauge": ("",)}
# Made by Prometheus itself, not by us.
OF_PROMETHEUS = frozenset({"up"})


def metric_names() -> frozenset[str]:
    """Every series name that /metrics may show."""
    families = Metrics().registry.collect()
    return frozenset(family.name + suffix for family in families for suffix in SUFFIXES[family.type])


def names_read(expression: str) -> frozenset[str]:
    """The metric names in an expression. Raises ValueError if it does not parse."""
    return frozenset(_names(promql_parser.parse(expression)))


def _names(node: object) -> Iterator[str]:
    if isinstance(node, MatrixSelector):
        node = node.vector_selector
    if isinstance(node, VectorSelector):
        if node.name is not None:
            yield node.name
        return
    for part in ("expr", "lhs", "rhs", "param"):
        yield from _names(child) if (child := getattr(node, part, None)) is not None else ()
    for argument in getattr(node, "args", None) or ():
        yield from _names(argument)


def is_recorded(name: str) -> bool:
    """True for the name of a recording rule, which has colons by custom."""
    return re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z0-9_]+", name) is not None
