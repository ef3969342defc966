"""Talking to a person at a terminal, or to a log: results to stdout, everything else to stderr."""

# ruff: noqa: PLC0415 - rich takes longer to load than many a command to run, and few have bars to show

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from events.json_text import Json
from sync_client.errors import CONFLICTS
from sync_client.progress import Progress as Watcher

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def say(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")


def say_json(value: Json) -> None:
    """The result for programs."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def warn(text: str) -> None:
    """A line beside the result."""
    sys.stderr.write(text + "\n")


def exit_with(left: int) -> None:
    """Leave with the exit code that says that drafts, or invalid patterns, are left, if any are."""
    if left:
        sys.exit(CONFLICTS)


def counted(number: int, noun: str) -> str:
    """A count with its noun: "1 pattern", "1,234 patterns"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def age(moment: str, now: datetime) -> str:
    """How long ago something was, roughly."""
    seconds = max(0, round((now - datetime.fromisoformat(moment)).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return f"{counted(seconds // size, unit)} ago"
    return f"{counted(seconds, 'second')} ago"


class _Bars:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def step(self, doing: str, done: int, total: int | None) -> None:
        if doing not in self._tasks:
            self._tasks[doing] = self._progress.add_task(doing)
        self._progress.update(self._tasks[doing], completed=done, total=total)


class _Lines:
    def step(self, doing: str, done: int, total: int | None) -> None:
        warn(f"{doing} {done:,}" if total is None else f"{doing} {done:,} of {total:,}")


@contextmanager
def watching() -> Iterator[Watcher]:
    """Progress bars on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bars(progress)
