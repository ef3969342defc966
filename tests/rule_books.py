"""Ruff's rule book as several of its versions print it: real edits of real texts."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from demo.rules import pattern_of

ROOT = Path(__file__).parents[1]
OLD, NEW = "0.6.9", "0.14.0"


def book_of(version: str) -> dict[str, dict[str, Any]]:
    """The patterns of a version of the book, by their rules' codes."""
    printed = subprocess.run(
        [_ruff(version), "rule", "--all", "--output-format", "json"], check=True, capture_output=True
    ).stdout
    return {rule["code"]: pattern_of(rule) for rule in json.loads(printed) if rule["code"]}


def _ruff(version: str) -> Path:
    """The program, installed beside the environment when it is first asked for."""
    folder = ROOT / "build" / "rule-books" / version
    program = folder / "bin" / "ruff"
    if not program.exists():
        lock = ROOT / "requirements" / f"rule-book-{version}.txt"
        arguments = [
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--target",
            str(folder),
            "-r",
            str(lock),
        ]
        subprocess.run([sys.executable, "-m", "uv", *arguments], check=True, timeout=300)
    return program
