"""A package that offers a command."""

import typer

app = typer.Typer()


@app.command()
def greet(name: str) -> None:
    """Say hello."""
    typer.echo(f"hello {name}")
