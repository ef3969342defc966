"""Files and functions stay small enough to be read at one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 300
LONGEST_FUNCTION = 40


# A revision is a list of tables, written once and never read between others.
EXEMPT = ROOT / "migrations" / "versions"


def python_files() -> Iterator[Path]:
    for folder in ROOT.glob("[a-z]*/"):
        if folder.name not in {"build", "dist"}:
            yield from (path for path in folder.rglob("*.py") if path.parent != EXEMPT)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from functions_in(ast.parse(path.read_text()))


def functions_in(node: ast.stmt | ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The outermost ones: one that stands in another is shorter."""
    for child in getattr(node, "body", ()):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        else:
            yield from functions_in(child)


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_the_code_is_found() -> None:
    assert ROOT / "events" / "pattern.py" in set(python_files())


def test_no_file_is_too_long() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in python_files()}
    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    lines = {
        f"{path.relative_to(ROOT)}:{node.lineno}": lines_of(node)
        for path in python_files()
        for node in functions(path)
    }
    assert {where: count for where, count in lines.items() if count > LONGEST_FUNCTION} == {}
