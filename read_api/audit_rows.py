"""The rows of the audit: how they are walked, and what is told of one."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import orjson

from events.envelope import Envelope
from events.json_text import Json, dump
from events.pattern import (
    PatternArchived,
    PatternConflictAbandoned,
    PatternConflictDetected,
    PatternConflictResolved,
    PatternDeleted,
    PatternEdited,
    PatternEvent,
    PatternRecorded,
    PatternRestored,
)
from events.registry import Event, read
from events.written import written_by
from read_api.pages import merged_rows, page_statement
from read_api.positions import LOG
from read_api.scanning import Order

Way = Literal["log", "type", "actor", "pattern", "stream"]
"""By which index a list is walked."""

_ROWS = """
SELECT {columns}, octet_length(data) + coalesce(octet_length(before), 0) AS size
  FROM {table} WHERE audit.team_id = $1 AND audit.sequence > $3 AND audit.sequence < $4{condition}
"""
_COLUMNS = """
audit.sequence, {table_of_version}.version, stream, type, command_id, command_hash, command_index,
command_count, actor, request_id, occurred_at, recorded_at, previous_hash, audit.log_id AS written_log_id,
data, before
"""
_BY_HISTORY = """
history JOIN audit ON audit.team_id = history.team_id AND audit.sequence = history.sequence
"""
_CONDITIONS: Mapping[Way, str] = {
    "log": "",
    "type": " AND type = {value}",
    "actor": """ AND "left"(actor, 256) = "left"({value}, 256) AND actor = {value}""",
    "stream": " AND stream = {value} AND stream NOT LIKE 'patterns/%'",
    "pattern": " AND history.team_id = $1 AND history.pattern_id = {value}::uuid",
}
# The first answer to a command names the record of [commands] that it answered.
_ORIGIN = """
(SELECT json_build_object('address', address, 'user_agent', user_agent)
   FROM outcomes JOIN origins ON origins.partition = outcomes.partition
                             AND origins.command_offset = outcomes.command_offset
  WHERE outcomes.team_id = $1 AND outcomes.command_id = page.command_id)
"""
_ENTRY = f"""
json_build_array(page.sequence, stream, version, type, actor, page.command_id, request_id, occurred_at,
                 recorded_at, data, before, {_ORIGIN})::text
"""
_RECORD = """
json_build_array(page.sequence, stream, version, type, actor, page.command_id, request_id, occurred_at,
                 recorded_at, data, written_log_id, encode(command_hash, 'hex'), command_index, command_count,
                 encode(previous_hash, 'hex'))::text
"""
# `latest` never goes back along a log, so halving finds the first row at or after a time by the key alone.
_FIRST_SINCE = """
WITH RECURSIVE halves AS (
    SELECT 0::bigint AS low, last_sequence + 1 AS high FROM ({log} AND team_id = $1) AS log
    UNION ALL
    SELECT CASE WHEN latest < $2 THEN middle ELSE low END, CASE WHEN latest < $2 THEN high ELSE middle END
      FROM (SELECT low, high, (low + high) / 2 AS middle FROM halves WHERE high - low > 1) AS half
     CROSS JOIN LATERAL (SELECT latest FROM audit WHERE team_id = $1 AND sequence >= middle
                          ORDER BY sequence LIMIT 1) AS found
)
SELECT min(high) AS sequence FROM halves
"""
FIRST_SINCE = _FIRST_SINCE.format(log=LOG)


def walk_statement(way: Way, order: Order, values: int) -> str:
    """The statement of entries by an index, where any of so many values stands, which are $5 and on.

    $3 and $4 are the sequences between which they lie.
    """
    return _statement(way, order, values, _ENTRY)


def _statement(way: Way, order: Order, values: int, item: str) -> str:
    # A pattern's versions are in the order of their sequences, which Postgres cannot know.
    by = f"{'version' if way == 'pattern' else 'sequence'} {order}"
    walks = [_rows(way, f"${number}::text") for number in range(5, 5 + max(1, values))]
    return page_statement(rows=merged_rows(walks, by), item=item, place="sequence", order=by)


def _rows(way: Way, value: str) -> str:
    is_joined = way == "pattern"
    return _ROWS.format(
        columns=_COLUMNS.format(table_of_version="history" if is_joined else "audit"),
        table=_BY_HISTORY if is_joined else "audit",
        condition=_CONDITIONS[way].format(value=value),
    )


RECORDS = _statement("log", "asc", 0, _RECORD)
"""The statement of records as written."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An event in the audit, and from where its command came."""

    sequence: int
    stream: str
    version: int
    type: str
    actor: str
    command_id: str
    request_id: str
    occurred_at: str
    recorded_at: str
    data: str
    before: str | None
    origin: dict[str, Json] | None

    @property
    def changes(self) -> dict[str, Json]:
        """By field, what was there before the event and after it; null where it was not there."""
        before: dict[str, Json] = orjson.loads(self.before) if self.before else {}
        after = _set_by(read(self.type, self.data.encode()))
        names = {**before, **after}
        return {name: {"before": _side(before, name), "after": _side(after, name)} for name in names}

    @property
    def entry(self) -> dict[str, Json]:
        """What auditors are told of it."""
        return {
            "sequence": self.sequence,
            "stream": self.stream,
            "version": self.version,
            "type": self.type,
            "actor": self.actor,
            "command_id": self.command_id,
            "request_id": self.request_id,
            "occurred_at": self.occurred_at,
            "recorded_at": self.recorded_at,
            "changes": self.changes,
            "origin": self.origin,
        }


def row_of(item: bytes) -> AuditRow:
    """The row that an item of a walk is."""
    return AuditRow(*orjson.loads(item))


def envelope_of(team_id: str, item: bytes) -> Envelope:
    """The event as written that an item of `RECORDS` is."""
    row: list[Any] = orjson.loads(item)
    return Envelope(
        team_id=team_id,
        sequence=row[0],
        stream=row[1],
        version=row[2],
        type=row[3],
        actor=row[4],
        command_id=row[5],
        request_id=row[6],
        occurred_at=row[7],
        recorded_at=row[8],
        data=row[9].encode(),
        log_id=row[10],
        command_hash=row[11],
        command_index=row[12],
        command_count=row[13],
        previous_hash=row[14],
    )


def folded(text: str) -> str:
    """Text as it is compared: whatever its case, and whether its accents are composed or not."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def needle_of(text: str) -> str:
    """What to look for in folded JSON text, where some characters are escaped."""
    return folded(dump(text).decode()[1:-1])


def _set_by(event: Event) -> Mapping[str, Json]:
    if not isinstance(event, PatternEvent):
        return written_by(event)
    match event:
        case PatternRecorded():
            return event.fields
        case PatternEdited() | PatternConflictResolved():
            return event.set
        case PatternConflictDetected() | PatternConflictAbandoned():
            return {}
        case PatternArchived() | PatternRestored() | PatternDeleted():
            return {}
        case _:
            assert_never(event)


def _side(fields: Mapping[str, Json], name: str) -> Json:
    return {"value": fields[name]} if name in fields else None
