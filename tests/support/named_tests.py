"""The tests that a page names (`tests/.../test_x.py::test_y`), and those of them that do not exist."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def named_tests(page: str) -> list[tuple[str, str]]:
    """Each file and function that a text names; the function is empty where the file alone is named."""
    return _NAMED.findall(page)


def missing_tests(page: str) -> list[str]:
    """Those that are not there."""
    return [
        f"{file}::{function}" if function else file
        for file, function in named_tests(page)
        if not (ROOT / file).is_file() or (function and function not in _functions(file))
    ]


def rows_without_test(table: str) -> list[str]:
    """The rows of a table (below its head and rule) that name no test."""
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [row for row in rows if not named_tests(row)]


@cache
def _functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found)
