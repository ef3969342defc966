"""Commands on pattern files: import and export."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sync_client.console import counted, exit_with, say, warn, watching
from sync_client.importing import Importer, Invalid
from sync_client.library import Library
from sync_client.options import HERE, Directory
from sync_client.pattern_files import NDJSON_SUFFIXES, Format, read_patterns, replacing, written
from sync_client.progress import Progress
from sync_client.surroundings import utc_now
from sync_client.workspace import find_workspace

_STEP = 1000


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command("import")(import_file)
    app.command("export")(export_file)


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A JSON or NDJSON file of patterns.")],
    directory: Directory = HERE,
) -> None:
    """Record what is new in a pattern file, and edit what differs. Doing it again changes nothing."""
    begun = time.monotonic()
    with find_workspace(directory).writing() as replica, watching() as progress:
        report = Importer(replica, utc_now, progress).run(read_patterns(file), _warn_of)
    counts = {
        "recorded": report.recorded,
        "edited": report.edited,
        "unchanged": report.unchanged,
        "invalid": report.invalid,
    }
    what = ", ".join(f"{number:,} {name}" for name, number in counts.items())
    say(f"imported {file}: {what}; took {time.monotonic() - begun:.1f} s")
    exit_with(report.invalid)


def export_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; - is stdout.")],
    style: Annotated[
        Format | None, typer.Option("--format", help="By the file's name if not given, else json.")
    ] = None,
    directory: Directory = HERE,
) -> None:
    """Write the live patterns to a file, by name; it can be imported again."""
    chosen = style or ("ndjson" if file.suffix.lower() in NDJSON_SUFFIXES else "json")
    with find_workspace(directory).reading() as replica, replica.snapshot(), watching() as progress:
        library = Library(replica.connection)
        count = library.counts()["live"]
        pieces = written(_texts(library, count, progress), chosen)
        if str(file) == "-":
            sys.stdout.writelines(pieces)
            return
        with replacing(file) as target:
            target.writelines(pieces)
    say(f"exported {counted(count, 'pattern')} to {file}")


def _texts(library: Library, total: int, progress: Progress) -> Iterator[str]:
    for done, pattern in enumerate(library.patterns(), 1):
        yield pattern.fields_text
        if done % _STEP == 0 or done == total:
            progress.step("exported", done, total)


def _warn_of(invalid: Invalid) -> None:
    name = f" {invalid.name!r}" if invalid.name else ""
    warn(f"pattern {invalid.place}{name}: {invalid.reason} [{invalid.code}]")
