"""`verify`: the log folded anew and compared with the read models, told to a person."""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import Progress, TaskID

from migrations.check import check_migrated
from projectors import verify
from projectors.errors import ProjectionError
from runtime.settings import Settings

DIFFERENT = 3
"""The exit code when the read models are not what the log says."""
_SHOWN = 20


async def verify_and_tell(settings: Settings) -> int:
    """Compare, and say on stdout what was compared and what differs; 0 when all is equal, else 3."""
    await check_migrated(settings)
    with Progress(console=Console(stderr=True), transient=True) as bars:
        try:
            report = await verify.verify(settings, _Bars(bars).show)
        except ProjectionError as error:
            sys.stdout.write(f"The log cannot be followed: {error}\n")
            return DIFFERENT
    sys.stdout.writelines(f"{line}\n" for line in lines_of(report))
    return 0 if report.is_equal else DIFFERENT


def lines_of(report: verify.Report) -> Iterator[str]:
    """What a report says."""
    behind = f"; {report.behind:,} records are not projected yet" if report.behind else ""
    yield f"Folded {report.events:,} events, passed over {report.void_records:,} void records{behind}."
    for table, rows in report.rows.items():
        yield f"  {table:<16} {rows:>12,} rows"
    if report.is_equal:
        yield "The read models are what the log says."
        return
    yield f"The read models differ from the log in {report.difference_count:,} places:"
    for one in report.differences[:_SHOWN]:
        yield f"  {one.table} {one.kind}: team {one.team_id}, {one.key}, sequence {one.sequence or 'unknown'}"
    for team_id, sequence in report.first_bad_sequences.items():
        yield f"Team {team_id}: wrong from sequence {sequence} on."


class _Bars:
    """A progress bar for each partition."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[int, TaskID] = {}

    def show(self, progress: verify.Progress) -> None:
        if progress.partition not in self._tasks:
            self._tasks[progress.partition] = self._bars.add_task(f"partition {progress.partition}")
        self._bars.update(self._tasks[progress.partition], completed=progress.offset, total=progress.end)
