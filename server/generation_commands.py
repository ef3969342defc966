"""The commands that work on generations; what they need is imported when they run."""

# ruff: noqa: PLC0415

import asyncio
from typing import Annotated

import typer

from server.configured import configured

Projection = Annotated[str, typer.Argument(help="`library`, `outcomes` or `origins`")]
Number = Annotated[int, typer.Argument(help="as `patternlog generations list` tells")]
Accept = Annotated[bool, typer.Option("--accept-difference", help="switch also where the two are not equal")]
Throttle = Annotated[float | None, typer.Option(min=1, help="records per second at the most")]
Switch = Annotated[bool, typer.Option("--switch", help="let it be the live one, if it is equal")]

app = typer.Typer(no_args_is_help=True, help="The fillings of a projection: list, compare, switch, drop.")


def rebuild(
    projection: Projection,
    *,
    throttle: Throttle = None,
    switch: Switch = False,
    accept_difference: Accept = False,
) -> None:
    """Fill a projection anew beside the live tables and compare: exit code 0 when equal, 3 when not.

    Run again after it was interrupted, it goes on.
    """
    from server import rebuilding

    with configured() as settings:
        code = asyncio.run(
            rebuilding.rebuild(
                settings,
                projection,
                per_second=throttle,
                switch=switch,
                accept_difference=accept_difference,
            )
        )
    raise typer.Exit(code)


@app.command("list")
def list_all() -> None:
    """List every generation that ever was, and which are live."""
    from server import rebuilding

    with configured() as settings:
        asyncio.run(rebuilding.list_all(settings))


@app.command()
def compare(projection: Projection, number: Number) -> None:
    """Compare a generation with the live one at the same place of the log: exit code 0 equal, 3 not."""
    from server import rebuilding

    with configured() as settings:
        code = asyncio.run(rebuilding.compare(settings, projection, number))
    raise typer.Exit(code)


@app.command()
def switch(projection: Projection, number: Number, *, accept_difference: Accept = False) -> None:
    """Compare a generation with the live one and let it be live: exit code 3 when they are not equal."""
    _switch(projection, number, accept_difference=accept_difference)


@app.command()
def back(projection: Projection, *, accept_difference: Accept = False) -> None:
    """Switch back to the generation that was live before, as `switch` does."""
    _switch(projection, None, accept_difference=accept_difference)


@app.command()
def drop(projection: Projection, number: Number) -> None:
    """Drop a generation that is not live, filled or not."""
    from server import rebuilding

    with configured() as settings:
        asyncio.run(rebuilding.drop(settings, projection, number))


def _switch(projection: str, number: int | None, *, accept_difference: bool) -> None:
    from server import rebuilding

    with configured() as settings:
        code = asyncio.run(
            rebuilding.switch(settings, projection, number, accept_difference=accept_difference)
        )
    raise typer.Exit(code)
