"""docs/problems.md lists the codes that the code has, with their statuses: no other, and no fewer."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from command_api.answers import STATUS
from command_api.decisions.refusals import Refusal
from runtime import problems

ROOT = Path(__file__).parents[2]
PACKAGES = ("runtime", "identity", "command_api", "read_api")
ROW = re.compile(r"^\| `(?P<code>[a-z_]+)` \| (?P<status>\d{3}|any) \| .+ \|$", re.MULTILINE)


def documented() -> dict[str, str]:
    rows: list[tuple[str, str]] = ROW.findall((ROOT / "docs" / "problems.md").read_text())
    assert len(rows) == len(dict(rows)), "a code is documented twice"
    return dict(rows)


def calls(folder: str) -> Iterator[ast.Call]:
    for path in (ROOT / folder).rglob("*.py"):
        yield from (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def is_problem(call: ast.Call) -> bool:
    """`Problem(...)`, or `super().__init__(...)` with a code and a status, as in its subclasses."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "Problem"
    return isinstance(call.func, ast.Attribute) and call.func.attr == "__init__" and len(call.args) == 3


def raised() -> dict[str, str]:
    """The codes that are written where a problem is made; a refusal's is a member of `Refusal`."""
    found: dict[str, str] = {}
    for package in PACKAGES:
        for call in filter(is_problem, calls(package)):
            match call.args[:2]:
                case [ast.Constant(value=str(code)), ast.Constant(value=int(status))]:
                    found[code] = str(status)
                case _:
                    pass
    return found


def in_code() -> dict[str, str]:
    of_http = {code: str(status) for status, code in problems.CODES.items()}
    of_refusals = {refusal.value: str(STATUS[refusal]) for refusal in Refusal}
    return raised() | of_http | of_refusals | {problems.OTHER: "any"}


def test_the_codes_are_found() -> None:
    assert {"unauthenticated", "stopping", "log_unavailable", "bad_cursor"} <= set(raised())


def test_every_code_is_documented_with_its_status_and_no_other_is() -> None:
    assert documented() == in_code()
