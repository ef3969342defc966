"""Commands of auditors: whether a log is the one that its tree heads were signed for."""

import json
import sys
import tempfile
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from evidence.auditing import Auditor, Report
from evidence.head_book import Trust
from evidence.head_files import HeadLine
from sync_client.audit_download import INCOMPLETE
from sync_client.audit_files import head_lines, keys_of, log_lines
from sync_client.audit_source import download, source_of
from sync_client.console import counted, say, say_json, warn, watching
from sync_client.errors import EVIDENCE, TryLater
from sync_client.head_store import Evidence, HeadStore
from sync_client.options import HERE, AsJson, Directory
from sync_client.surroundings import utc_now
from sync_client.workspace import find_workspace

_STEP = 100_000

Keys = Annotated[
    list[str] | None, typer.Option("--key", metavar="VKEY", help="A key of the log's that you trust.")
]
Witnesses = Annotated[
    list[str] | None, typer.Option("--witness", metavar="VKEY", help="A witness that you trust.")
]
Required = Annotated[
    int, typer.Option("--require-witnesses", min=0, help="A head counts if this many have cosigned it.")
]
AuditServer = Annotated[str | None, typer.Option("--server", help="This server, not the workspace's.")]
AuditTeam = Annotated[str | None, typer.Option("--team", help="The team's id, with --server.")]
AuditToken = Annotated[str | None, typer.Option("--token", help="A token, for this call.")]

app = typer.Typer(no_args_is_help=True, help="Prove that the log is whole, with no trust in the server.")


def register(root: typer.Typer) -> None:
    """Add the commands to the command line."""
    root.add_typer(app, name="audit")


@app.command()
def verify(  # noqa: PLR0913, PLR0917 - each is an option
    export: Annotated[
        Path | None,
        typer.Argument(help="An exported log, plain or .gz; - is standard input."),
    ] = None,
    heads: Annotated[Path | None, typer.Option("--heads", help="A file of tree heads.")] = None,
    key: Keys = None,
    witness: Witnesses = None,
    require_witnesses: Required = 0,
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="The export is meant to end at this sequence.")
    ] = None,
    as_json: AsJson = False,
    server: AuditServer = None,
    team: AuditTeam = None,
    token: AuditToken = None,
    directory: Directory = HERE,
) -> None:
    """Whether a log is whole, and where it is not: offline, or the server's, downloaded for it."""
    if (export is None) != (heads is None):
        raise typer.BadParameter("give an export and its --heads, or neither")
    keys = keys_of(key)
    lines = [] if heads is None else head_lines(heads)
    team_id = log_id = None
    with tempfile.TemporaryDirectory() as folder:
        if export is None:
            source = source_of(server, team, token, directory)
            team_id, log_id = source.endpoint.team_id, source.log_id
            found = download(source, Path(folder), 1)
            export, keys = found.log, keys or source.keys
            lines = [*head_lines(found.heads), *(HeadLine(head=note) for note in source.heads)]
            if found.breaks_off is not None:
                warn(found.breaks_off)
        if not keys:
            raise typer.BadParameter("give the log's key with --key; not one that the server told you")
        trust = Trust(keys=keys, witnesses=keys_of(witness), required=require_witnesses)
        auditor = Auditor(lines, trust, to, team_id=team_id, log_id=log_id)
        report = _audit(log_lines(export), auditor)
    _tell(report, as_json=as_json)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where log.ndjson and heads.ndjson are written.")],
    first: Annotated[int, typer.Option("--from", min=1, help="The first sequence.")] = 1,
    server: AuditServer = None,
    team: AuditTeam = None,
    token: AuditToken = None,
    directory: Directory = HERE,
) -> None:
    """Download the log as it was written, and its tree heads. Cut off, it goes on where it was."""
    found = download(source_of(server, team, token, directory), folder, first)
    if found.breaks_off is not None:
        raise TryLater(INCOMPLETE, f"{found.breaks_off}; {found.log} holds what came before")
    say(f"exported {counted(found.events, 'event')} and {counted(found.head_count, 'head')} to {folder}")


@app.command()
def evidence(
    acknowledge: Annotated[
        int | None, typer.Option("--acknowledge", help="Go on with the server's log in spite of this number.")
    ] = None,
    as_json: AsJson = False,
    directory: Directory = HERE,
) -> None:
    """Proofs that failed: both tree heads, the proof, when and of which server."""
    workspace = find_workspace(directory)
    if acknowledge is not None:
        with workspace.writing() as replica, replica.transaction():
            HeadStore(replica).acknowledge(acknowledge, utc_now())
    with workspace.reading() as replica:
        found = list(HeadStore(replica).evidence())
    if as_json:
        say_json([asdict(one) for one in found])
    else:
        for one in found:
            _say_evidence(one)
    if any(one.acknowledged_at is None for one in found):
        sys.exit(EVIDENCE)


@app.command()
def heads(directory: Directory = HERE) -> None:
    """The last tree head that was seen here of each log of the team, as a file of heads to verify with."""
    with find_workspace(directory).reading() as replica:
        for note in HeadStore(replica).heads():
            say(json.dumps({"head": note}, ensure_ascii=False))


@app.command()
def trust(
    vkeys: Annotated[list[str], typer.Argument(metavar="VKEY...", help="Keys of the log's.")],
    directory: Directory = HERE,
) -> None:
    """Believe tree heads that these keys have signed, besides those that are believed already."""
    keys = keys_of(vkeys)
    with find_workspace(directory).writing() as replica, replica.transaction():
        HeadStore(replica).trust(keys, "given", utc_now())
    say(f"trusted {counted(len(keys), 'key')}")


def _say_evidence(one: Evidence) -> None:
    state = "NOT ACKNOWLEDGED" if one.acknowledged_at is None else f"acknowledged {one.acknowledged_at}"
    say(f"{one.number}  {one.reason}, found {one.found_at}, of {one.server}; {state}")
    for name, note in (("held", one.held), ("shown", one.shown)):
        if note is not None:
            say(f"   {name}")
            say(textwrap.indent(note.rstrip(), "     "))
    say(f"   proof of {len(one.path)} hashes; --json shows them")


def _audit(lines: Iterable[bytes], auditor: Auditor) -> Report:
    with watching() as progress:
        for number, line in enumerate(lines, 1):
            auditor.feed(line)
            if number % _STEP == 0:
                progress.step("verified", number, None)
    return auditor.finish()


def _tell(report: Report, *, as_json: bool) -> None:
    """Say what was found, and leave with its exit code."""
    if as_json:
        say_json({"is_whole": report.is_whole, **asdict(report)})
    else:
        for sentence in _sentences(report):
            say(sentence)
    if not report.is_whole:
        sys.exit(EVIDENCE)


def _sentences(report: Report) -> list[str]:
    told = [str(finding) for finding in report.findings]
    if report.finding_count > len(told):
        told.append(f"and {report.finding_count - len(told):,} more")
    if report.misfit is not None:
        told.append(f"heads fit up to size {report.signed_to:,}; that of size {report.misfit:,} does not")
    passed = {"of other logs": report.other_heads, "without enough witnesses": report.unwitnessed_heads}
    told += [f"passed over {counted(number, 'head')} {why}" for why, number in passed.items() if number]
    what = f"{counted(report.events, 'event')}, {counted(report.heads, 'head')}"
    if not report.is_whole:
        return [*told, f"NOT WHOLE: {what}"]
    later = report.last - report.signed_to
    rest = f"; {counted(later, 'later event')}: no head yet, only the chain" if later else ""
    return [*told, f"whole: {what}, signed up to sequence {report.signed_to:,}{rest}{_of(report)}"]


def _of(report: Report) -> str:
    """Of what, for those who would take it for something else."""
    begin = f" from sequence {report.first:,} on" if report.first > 1 else ""
    return f"; team {report.team_id}{begin}" if report.events else ""
