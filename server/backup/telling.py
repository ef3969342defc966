"""Exporting, checking and importing, told to a person."""

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from migrations.check import check_migrated
from projectors.forgetting import forget_projections
from runtime.settings import Settings
from server.backup.checking import check_export
from server.backup.export import export_log
from server.backup.importing import import_log


async def export_and_tell(settings: Settings, folder: Path, *, final: bool) -> None:
    """Export, and say what the folder holds now."""
    with Progress(console=Console(stderr=True), transient=True) as bars:
        manifest = await export_log(settings, folder, final=final, report=_Bars(bars).show)
    records = sum(one.records for one in manifest.segments)
    _say(
        f"{folder} holds {records:,} records of the log {manifest.log_id} in {len(manifest.segments):,} "
        f"segments; {manifest.void:,} void records are left out."
    )
    _say(f"SHA-256 of the manifest: {manifest.sha256}")


def check_and_tell(folder: Path) -> None:
    """Check, and say what the export holds."""
    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("segments")
        checked = check_export(folder, lambda _, done, all_: bars.update(task, completed=done, total=all_))
    events = sum(one.events for one in checked.contents)
    heads = sum(one.tree_heads for one in checked.contents)
    _say(f"{folder} is what its manifest says: {events:,} events, every chain without a gap.")
    _say(f"{heads:,} signed tree heads and notes of keys are there, and every head is that of its events.")
    _say(f"SHA-256 of the manifest: {checked.manifest.sha256}")


async def import_and_tell(settings: Settings, folder: Path, *, same_log: bool) -> None:
    """Import, and say what the log is called now."""
    with Progress(console=Console(stderr=True), transient=True) as bars:
        log = await import_log(settings, folder, same_log=same_log, report=_Bars(bars).show)
    _say(f"The log {log.log_id} is imported, with {log.partitions} partitions.")
    if log.ancestors:
        _say(f"It was called {log.ancestors[0]} before: clients start again, and keep their outbox.")


async def forget_and_tell(settings: Settings) -> None:
    """Empty the read models, and say so."""
    await check_migrated(settings)
    await forget_projections(settings)
    _say("The read models are empty; a projector fills them from the log.")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


class _Bars:
    """A progress bar for each partition of each topic."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, int], TaskID] = {}

    def show(self, topic: str, partition: int, done: int, all_: int) -> None:
        key = (topic, partition)
        if key not in self._tasks:
            self._tasks[key] = self._bars.add_task(f"{topic} {partition}")
        self._bars.update(self._tasks[key], completed=done, total=all_)
