"""The security page covers each risk, and what it names as a test is one."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def functions_of(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, functions) and node.name.startswith("test_")}


def test_every_risk_has_its_line() -> None:
    lines = re.findall(r"^\| (API\d+) [^|]+\| [^|]+ \| [^|]+\|$", PAGE, re.MULTILINE)
    assert lines == [f"API{number}" for number in range(1, 11)]


def test_every_test_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) >= 10
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).is_file() or (test or "test_") not in {"test_", *functions_of(ROOT / file)}
    ]
    assert missing == []
