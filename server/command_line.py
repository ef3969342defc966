"""The server's commands; `patternlog` offers them beside the client's.

What they need is imported when they run: the client's commands share the command line, and start without it.
"""

# ruff: noqa: PLC0415

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from projectors.sample import Rows
from server import generation_commands
from server.configured import configured as _settings
from server.configured import exit_with
from server.process import Process

app = typer.Typer(no_args_is_help=True)
log = typer.Typer(no_args_is_help=True)
app.add_typer(log, name="log", help="Export the log to files, check them, and import them again.")

_Export = Annotated[Path, typer.Argument(help="the folder of the export", file_okay=False)]
app.command()(generation_commands.rebuild)
app.add_typer(generation_commands.app, name="generations")


@app.command()
def serve(
    process: Annotated[Process, typer.Argument(help="`all` starts the gateway, a decider and a projector")],
    *,
    supervised: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Run a process until SIGTERM or Ctrl-C; its settings are the variables that `env-example` lists."""
    from server.serving import serve as run

    with _settings() as settings:
        code = run(process, settings, supervised=supervised)
    raise typer.Exit(code)


@app.command()
def setup() -> None:
    """Migrate the database and make the log, where that is not done; run it before the first `serve`."""
    from server.setup import set_up

    with _settings() as settings:
        typer.echo(asyncio.run(set_up(settings)))


@app.command()
def verify(
    *,
    rows: Annotated[
        Rows, typer.Option(help="how many rows to compare; none: the sums of hashes alone")
    ] = Rows.FULL,
    share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="with --rows sample: the share of streams to compare")
    ] = 0.05,
    seed: Annotated[
        str | None, typer.Option(help="with --rows sample: what chooses them, as printed by an earlier run")
    ] = None,
) -> None:
    """Read the log anew and compare it with the read models: exit code 0 when equal, 3 when not."""
    from server.verification import verify_and_tell

    with _settings() as settings:
        code = asyncio.run(verify_and_tell(settings, rows, share, seed))
    raise typer.Exit(code)


@app.command()
def repair(
    team: Annotated[str, typer.Argument(help="the team's id")],
    stream: Annotated[str, typer.Argument(help="`team` or `patterns/<id>`, as `verify` names it")],
) -> None:
    """Make the rows of one stream anew from the log, beside working processes: 0 when done, 3 when not."""
    from server.repairing import repair_and_tell

    with _settings() as settings:
        code = asyncio.run(repair_and_tell(settings, team, stream))
    raise typer.Exit(code)


@app.command()
def replay(
    *,
    team: Annotated[str | None, typer.Option(help="one team's log alone")] = None,
    until: Annotated[
        str | None, typer.Option(help="a cursor, a recorded time (RFC 3339), or a sequence of the team's log")
    ] = None,
    library: Annotated[
        Path | None, typer.Option(help="write the team's live patterns to this JSON or NDJSON file")
    ] = None,
    schema: Annotated[
        str | None, typer.Option(help="fill the library's tables as they were, in a new schema of this name")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="report as JSON")] = False,
) -> None:
    """Fold the log anew, from Kafka alone, and tell what it holds: 0 when done, 3 when it is broken."""
    from server.replaying import folded, told

    with _settings() as settings:
        replayed = asyncio.run(folded(settings, team, until, library, schema))
        code = told(replayed, library, as_json=as_json)
    raise typer.Exit(code)


@log.command("export")
def export_log(
    folder: _Export,
    *,
    final: Annotated[bool, typer.Option("--final", help="say that nothing is written any more")] = False,
) -> None:
    """Write what the topics hold to a folder; into one that holds an export already, what came since."""
    from server.backup.telling import export_and_tell

    with _settings() as settings:
        asyncio.run(export_and_tell(settings, folder, final=final))


@log.command("verify")
def verify_log(folder: _Export) -> None:
    """Check an export without a cluster: sums, order, and each team's chain of hashes."""
    from server.backup.telling import check_and_tell

    with _settings():
        check_and_tell(folder)


@log.command("import")
def import_log(
    folder: _Export,
    *,
    same_log: Annotated[
        bool, typer.Option("--same-log", help="keep the log's id: of a final export alone")
    ] = False,
) -> None:
    """Check an export and write it to a cluster without a log; run it again if it was killed."""
    from server.backup.telling import import_and_tell

    with _settings() as settings:
        asyncio.run(import_and_tell(settings, folder, same_log=same_log))


@app.command("forget-projections")
def forget_projections() -> None:
    """Empty the tables that projectors fill, so that they are made anew from the log."""
    from server.backup.telling import forget_and_tell

    with _settings() as settings:
        asyncio.run(forget_and_tell(settings))


@app.command("new-signing-key")
def new_signing_key(
    name: Annotated[str, typer.Option(help="PATTERNLOG_TREE_HEAD_NAME")] = "patternlog",
) -> None:
    """Print a new seed for PATTERNLOG_TREE_HEAD_KEYS, which is secret, and the vkey that verifiers take."""
    from projectors.notary.keys import new_seed, signing_key
    from runtime.startup_failures import Misconfigured

    seed = new_seed()
    try:
        vkey = signing_key(name, seed).key().vkey
    except Misconfigured as failure:
        raise exit_with(failure) from None
    typer.echo(f"seed {seed}\nvkey {vkey}")


@app.command("new-token-key")
def new_token_key() -> None:
    """Print a new seed for PATTERNLOG_TOKEN_KEYS, which is secret, and the `kid` that tokens name it by."""
    from identity.token_keys import new_seed, token_key

    seed = new_seed()
    typer.echo(f"seed {seed}\nkid {token_key(seed).kid}")


@app.command("tree-alarms")
def tree_alarms(
    clear: Annotated[str, typer.Option(help="id of the team whose log is to be signed again")] = "",
) -> None:
    """Print the alarms of logs whose tree heads are signed no more, with their evidence; or clear one."""
    from server.tree_alarms import clear_alarm, list_alarms

    with _settings() as settings:
        typer.echo(asyncio.run(clear_alarm(settings, clear) if clear else list_alarms(settings)))


@app.command("env-example")
def env_example() -> None:
    """Print every setting with its default, as the file `.env` that a service reads."""
    from runtime.settings_documentation import env_example as text

    typer.echo(text(), nl=False)


@app.command()
def openapi(
    process: Annotated[Process, typer.Argument(help="whose routes to describe")] = Process.GATEWAY,
) -> None:
    """Print the OpenAPI document of a process as JSON."""
    from server.description import openapi_of

    typer.echo(openapi_of(process))
