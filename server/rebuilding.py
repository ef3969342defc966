"""`rebuild` and `generations`: fillings of a projection made, compared, switched and dropped."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from migrations.check import check_migrated
from projectors import filling, generations
from projectors.errors import ProjectionError
from projectors.generations import Generation
from projectors.rebuild import Compared, Rebuilding, rebuilding
from runtime.postgres import create_engine, driver
from runtime.settings import Settings
from runtime.startup_failures import StartupFailure

DIFFERENT = 3
"""The exit code when a generation is not equal to the live one, and that was not accepted."""
_SHOWN = 20


class NotFollowed(StartupFailure):
    """The log cannot be followed, so no generation can be filled from it."""

    exit_code = DIFFERENT


async def rebuild(
    settings: Settings, projection: str, *, per_second: float | None, switch: bool, accept_difference: bool
) -> int:
    """Fill a generation beside the live one, compare the two, and switch if that is asked for."""
    async with _working(settings, projection) as work:
        compared = await work.rebuild(per_second)
        _say(lines_of(compared))
        if switch:
            return await _switch(work, compared, accept_difference=accept_difference)
        return _code(compared)


async def compare(settings: Settings, projection: str, number: int) -> int:
    """Compare a generation with the live one."""
    async with _working(settings, projection) as work:
        compared = await work.compare(number)
        _say(lines_of(compared))
        return _code(compared)


async def switch(settings: Settings, projection: str, number: int | None, *, accept_difference: bool) -> int:
    """Compare a generation with the live one and let it be live; None: the one that was live before."""
    async with _working(settings, projection) as work:
        compared = await work.compare(await work.back() if number is None else number)
        _say(lines_of(compared))
        return await _switch(work, compared, accept_difference=accept_difference)


async def drop(settings: Settings, projection: str, number: int) -> int:
    """Drop a generation that is not live."""
    async with _working(settings, projection) as work:
        await work.drop(number)
    _say([f"Generation {number} of {projection} is dropped."])
    return 0


async def list_all(settings: Settings) -> int:
    """Tell which generations there are."""
    await check_migrated(settings)
    engine = create_engine(settings, "patternlog-rebuild")
    try:
        async with driver(engine) as pg:
            known = await generations.load_generations(pg)
    finally:
        await engine.dispose()
    _say(_line_of(one) for one in known)
    return 0


def lines_of(compared: Compared) -> Iterator[str]:
    """What a comparison says."""
    number, findings = compared.generation.number, compared.findings
    for table, rows in findings.rows.items():
        yield f"  {table:<18} {rows:>12,} rows"
    if compared.is_equal:
        yield f"Generation {number} is equal to the live one, generation {compared.live.number}."
        return
    yield f"Generation {number} differs from the live one in {findings.difference_count:,} places:"
    for one in findings.differences[:_SHOWN]:
        yield f"  {one.table} {one.kind}: {one.key}, sequence {one.sequence or 'unknown'}"
    first: dict[str, int] = {}
    for one in findings.differences:
        if one.sequence is not None:
            first[one.team_id] = min(one.sequence, first.get(one.team_id, one.sequence))
    for team_id, sequence in first.items():
        yield f"Team {team_id}: different from sequence {sequence} on."


@asynccontextmanager
async def _working(settings: Settings, projection: str) -> AsyncIterator[Rebuilding]:
    """What can be done with generations, with a progress bar; raise `NotFollowed`."""
    await check_migrated(settings)
    try:
        with _Bars() as bars:
            async with rebuilding(settings, projection, bars.show) as work:
                yield work
    except ProjectionError as error:
        raise NotFollowed(f"the log cannot be followed: {error}") from error


async def _switch(work: Rebuilding, compared: Compared, *, accept_difference: bool) -> int:
    number = compared.generation.number
    if not compared.is_equal and not accept_difference:
        _say([f"Not switched. Accept the difference (--accept-difference), or drop generation {number}."])
        return DIFFERENT
    await work.switch(compared, accept_difference=accept_difference)
    _say([f"Generation {number} is live. Generation {compared.live.number} is fed on until it is dropped."])
    return 0


def _code(compared: Compared) -> int:
    return 0 if compared.is_equal else DIFFERENT


def _line_of(one: Generation) -> str:
    marks = ", ".join(
        [one.state.value, *(["live"] if one.is_live else []), *(["held"] if one.is_held else [])]
    )
    return f"{one.projection} {one.number}: {marks} (schema {one.schema})"


def _say(lines: Iterator[str] | list[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


class _Rate(ProgressColumn):
    """Records per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


class _Bars(Progress):
    """A progress bar for each partition and step, with the rate and the time that is left."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks_by: dict[tuple[str, int], TaskID] = {}

    def show(self, what: str, progress: filling.Progress) -> None:
        """Move a bar on."""
        key = (what, progress.partition)
        if key not in self._tasks_by:
            self._tasks_by[key] = self.add_task(f"{what}, partition {progress.partition}")
        self.update(self._tasks_by[key], completed=progress.offset, total=progress.end)
