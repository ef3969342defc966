"""A PostgreSQL data folder with its database, made once."""

import os
import shutil
from pathlib import Path

from devstack.guard import Guard
from devstack.postgres_programs import as_ordinary_user, postgres_program
from devstack.process import Program, run_to_end

DATABASE = "patternlog"
SUPERUSER = "postgres"


def create_database(guard: Guard, folder: Path, *, persistent: bool) -> None:
    """Make the data folder with its database; under its own name only when it is whole."""
    unfinished = folder / "data.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    syncing = () if persistent else ("--no-sync",)
    _run(guard, folder, "initdb", "-D", "data.new", "-U", SUPERUSER, "--auth=trust", *locale, *syncing)
    (folder / "create.sql").write_text(f"CREATE DATABASE {DATABASE}\n", encoding="ascii")
    _run(guard, folder, "postgres", "--single", "-D", "data.new", "postgres", stdin=folder / "create.sql")
    unfinished.rename(folder / "data")


def _run(guard: Guard, folder: Path, program: str, *arguments: str, stdin: Path = Path(os.devnull)) -> None:
    run_to_end(
        guard,
        Program(
            name=f"postgres ({program})",
            argv=[*as_ordinary_user(folder / "data"), postgres_program(program), *arguments],
            cwd=folder,
            stdin=stdin,
            log=folder / "create.log",
            ready=lambda _launch: True,
        ),
    )
