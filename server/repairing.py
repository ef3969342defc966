"""`repair`: one stream's rows made anew from the log, told to a person."""

import sys
from collections.abc import Iterator, Sequence

from events.identifiers import is_uuid
from events.pattern import pattern_id_of
from events.team import STREAM as TEAM_STREAM
from migrations.check import check_migrated
from projectors.errors import ProjectionError
from projectors.repair import Repaired, repair
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured
from server.progress import reading_bars
from server.verification import DIFFERENT

_LONGEST = 500


async def repair_and_tell(settings: Settings, team_id: str, stream: str) -> int:
    """Put the rows right, and say on stdout what was wrong; 0 when they are right now, else 3."""
    pattern_id = pattern_id_of(stream)
    if not is_uuid(team_id):
        raise Misconfigured("TEAM must be a UUID in canonical lower-case form")
    if stream != TEAM_STREAM and not (pattern_id and is_uuid(pattern_id)):
        raise Misconfigured(f"STREAM must be {TEAM_STREAM} or patterns/ and a pattern's UUID")
    await check_migrated(settings)
    try:
        with reading_bars() as advance:
            repaired = await repair(settings, team_id, stream, advance)
    except ProjectionError as error:
        sys.stderr.write(f"patternlog: nothing was repaired: {error}\n")
        return DIFFERENT
    sys.stdout.writelines(f"{line}\n" for line in lines_of(repaired))
    return 0


def lines_of(repaired: Sequence[Repaired]) -> Iterator[str]:
    """What was put right."""
    if not repaired:
        yield "Every row of the stream was what the log says; nothing was changed."
        return
    yield f"Put {len(repaired):,} rows right:"
    for one in repaired:
        done = "added" if one.before is None else "removed" if one.after is None else "changed"
        yield f"  {one.table} {done}: {one.key}"
        if one.before is not None:
            yield f"    was {repr(one.before)[:_LONGEST]}"
        if one.after is not None:
            yield f"    is  {repr(one.after)[:_LONGEST]}"
