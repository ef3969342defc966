"""Ruff's rule book as a library of patterns: some 950 real lessons with a bad and a good example."""

import json
import re
import subprocess
import sys
from typing import Any

_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_CODE = re.compile(r"```(?:\w+)?\n(.*?)```", re.DOTALL)
_BUGS = ("B", "E9", "F", "PLE", "S")
"""Linters whose rules find bugs rather than style."""
_WANTED = {"What it does": "description", "Why is this bad?": "problem", "Fix safety": "solution"}


def rule_book() -> list[dict[str, Any]]:
    """Every rule of the installed ruff, as ruff itself prints it."""
    command = [sys.executable, "-m", "ruff", "rule", "--all", "--output-format", "json"]
    printed = subprocess.run(command, check=True, capture_output=True).stdout
    rules: list[dict[str, Any]] = json.loads(printed)
    return rules


def pattern_of(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as a pattern; what Patternlog has no field for is kept under its own name."""
    sections = _sections(rule["explanation"])
    examples = _CODE.findall(sections.get("Example", "") + sections.get("Examples", ""))
    code, linter = rule["code"] or "no code", rule["linter"] or "no linter"
    fields: dict[str, Any] = {
        "name": f"{rule['name']} [{code}]",
        "category": linter,
        "severity": "medium" if code.startswith(_BUGS) else "low",
        "tags": [code, linter],
        "summary": rule["summary"],
        "fix": rule["fix"],
        "preview": rule["preview"],
    }
    fields |= {field: sections[title] for title, field in _WANTED.items() if title in sections}
    names = ("bad_example", "good_example")
    return fields | dict(zip(names, examples, strict=False))


def _sections(explanation: str) -> dict[str, str]:
    _, *parts = _SECTION.split(explanation)
    return {title.strip(): text.strip() for title, text in zip(parts[::2], parts[1::2], strict=True)}
