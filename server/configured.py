"""The settings of a command that runs once, and its failures as one line and an exit code."""

# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from runtime.settings import Settings
    from runtime.startup_failures import StartupFailure


@contextmanager
def configured() -> Iterator[Settings]:
    """The settings; a failure that the operator can act on becomes one line and an exit code."""
    from runtime.loading import load_settings
    from runtime.startup import failure_of
    from runtime.startup_failures import StartupFailure

    try:
        settings = load_settings()
    except StartupFailure as failure:
        raise exit_with(failure) from None
    try:
        yield settings
    except Exception as error:
        explained = failure_of(error, settings)
        if explained is None:
            raise
        raise exit_with(explained) from None


def exit_with(failure: StartupFailure) -> typer.Exit:
    """The end of a command by a failure, which is told in one line."""
    typer.echo(f"patternlog: {failure}", err=True)
    return typer.Exit(failure.exit_code)
