"""`replay`: the log folded anew up to a point, into a report, a library, or tables of its own."""

import json
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from events.cursor import BadCursor, Cursor, parse_cursor
from events.identifiers import is_uuid
from events.json_text import Json
from events.shapes import is_time, utc_text
from projectors.errors import ProjectionError
from projectors.fresh_tables import fresh_tables
from projectors.replay import Extent, NoSuchPoint, Replayed, TeamTotals, replay
from runtime.log_setup import check_log
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured
from server.progress import reading_bars
from server.verification import DIFFERENT
from sync_client.errors import BadPatternFile
from sync_client.pattern_files import NDJSON_SUFFIXES, Format, replacing, written

_SHOWN = 20


async def folded(
    settings: Settings, team_id: str | None, until: str | None, library: Path | None, schema: str | None
) -> Replayed | None:
    """What the log folds to, also in fresh tables if a schema is named for them.

    None, and a line on stderr, where the log cannot be followed.

    Raise `Misconfigured` for a team or a point that there is not.
    """
    identity = await check_log(settings)
    extent = extent_of(team_id, until, identity.log_id)
    if library is not None and extent.team_id is None:
        raise Misconfigured("--library needs --team, or --until with a cursor: a library is one team's")
    try:
        with reading_bars() as advance:
            async with AsyncExitStack() as stack:
                tables = None
                if schema is not None:
                    tables = await stack.enter_async_context(fresh_tables(settings, schema))
                return await replay(settings, identity.log_ids, extent, advance, tables)
    except NoSuchPoint as error:
        raise Misconfigured(str(error)) from None
    except ProjectionError as error:
        sys.stderr.write(f"patternlog: the log cannot be followed: {error}\n")
        return None


def told(replayed: Replayed | None, library: Path | None, *, as_json: bool) -> int:
    """Write the library, if one is wanted, and then the report; the exit code."""
    if replayed is None:
        return DIFFERENT
    if library is not None:
        _write(replayed, library)
    text = json.dumps(as_shape(replayed), indent=2) if as_json else "\n".join(lines_of(replayed))
    sys.stdout.write(f"{text}\n")
    return 0


def extent_of(team_id: str | None, until: str | None, log_id: str) -> Extent:
    """What is to be folded; raise `Misconfigured` for what names no point of the log."""
    if team_id is not None and not is_uuid(team_id):
        raise Misconfigured("--team must be a UUID in canonical lower-case form")
    if until is None:
        return Extent(team_id=team_id)
    if is_time(until):
        return Extent(team_id=team_id, time=datetime.fromisoformat(until).astimezone(UTC))
    if until.isascii() and until.isdigit():
        if team_id is None:
            raise Misconfigured("--until with a sequence needs --team: each team's log counts by itself")
        if len(until) > 18:
            raise Misconfigured("--until is no sequence: it is too large")
        return Extent(team_id=team_id, sequence=int(until))
    return _extent_of_cursor(team_id, until, log_id)


def _extent_of_cursor(team_id: str | None, text: str, log_id: str) -> Extent:
    try:
        cursor = parse_cursor(text)
    except BadCursor as error:
        raise Misconfigured(f"--until is no cursor, recorded time (RFC 3339) or sequence: {error}") from None
    if cursor.log_id != log_id:
        raise Misconfigured(f"--until is a cursor of the log {cursor.log_id}, this one is {log_id}")
    if team_id not in (None, cursor.team_id):
        raise Misconfigured(f"--until is a cursor of team {cursor.team_id}")
    return Extent(team_id=cursor.team_id, sequence=cursor.sequence)


def _write(replayed: Replayed, library: Path) -> None:
    (team_id,) = replayed.teams
    style: Format = "ndjson" if library.suffix.lower() in NDJSON_SUFFIXES else "json"
    try:
        with replacing(library) as file:
            file.writelines(written(replayed.library(team_id), style))
    except BadPatternFile as error:
        raise Misconfigured(f"--library {error}") from None


def as_shape(replayed: Replayed) -> dict[str, Json]:
    """The report for programs."""
    return {
        "log_id": replayed.log_id,
        "events": replayed.types.total(),
        "void_records": replayed.void_records,
        "streams": len(replayed.states),
        "patterns": _patterns(replayed),
        "types": dict(replayed.types.most_common()),
        "actors": dict(replayed.actors.most_common()),
        "teams": [_team(replayed, team) for team in replayed.teams.values()],
    }


def _patterns(replayed: Replayed) -> dict[str, int]:
    teams = replayed.teams.values()
    return {
        status: sum(team.patterns[status] for team in teams) for status in ("live", "archived", "deleted")
    }


def _team(replayed: Replayed, team: TeamTotals) -> dict[str, Json]:
    cursor = Cursor(log_id=replayed.log_id, team_id=team.team_id, sequence=team.last_sequence)
    return {
        "team_id": team.team_id,
        "name": team.name,
        "events": team.last_sequence,
        "last_sequence": team.last_sequence,
        "last_hash": team.last_hash,
        "cursor": str(cursor),
        "first_recorded": None if team.first_recorded is None else utc_text(team.first_recorded),
        "last_recorded": None if team.last_recorded is None else utc_text(team.last_recorded),
        "patterns": {status: team.patterns[status] for status in ("live", "archived", "deleted")},
        "open_conflicts": team.open_conflicts,
    }


def lines_of(replayed: Replayed) -> Iterator[str]:
    """The report for people."""
    events, teams = replayed.types.total(), len(replayed.teams)
    yield (
        f"Folded {events:,} events of {teams:,} teams and {len(replayed.states):,} streams in the log "
        f"{replayed.log_id}; passed over {replayed.void_records:,} void records."
    )
    yield "Patterns: " + ", ".join(f"{count:,} {status}" for status, count in _patterns(replayed).items())
    for title, counts in (("Events", replayed.types), ("Actors", replayed.actors)):
        yield f"{title}:"
        yield from (f"  {count:>12,}  {name}" for name, count in counts.most_common(_SHOWN))
        if len(counts) > _SHOWN:
            yield f"  and {len(counts) - _SHOWN:,} more: --json has all"
    for team in list(replayed.teams.values())[:_SHOWN]:
        yield from _lines_of_team(replayed, team)
    if teams > _SHOWN:
        yield f"And {teams - _SHOWN:,} more teams: --json has all."


def _lines_of_team(replayed: Replayed, team: TeamTotals) -> Iterator[str]:
    shape = _team(replayed, team)
    yield f"Team {team.team_id} {team.name!r}, up to sequence {team.last_sequence:,}"
    yield f"  recorded   {shape['first_recorded']} to {shape['last_recorded']}"
    yield f"  last hash  {team.last_hash or 'none'}"
    yield f"  cursor     {shape['cursor']}"
    patterns = ", ".join(f"{count:,} {status}" for status, count in shape["patterns"].items())
    yield f"  patterns   {patterns}; {team.open_conflicts:,} open conflicts"
