"""What decisions read from Postgres: in one statement, so in one snapshot with the checkpoints."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, cast

from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncEngine

from command_api.decider.conditional_log import BEGINNING, Point, Start
from events.errors import MalformedRecord
from events.json_text import Json
from events.outcome import OutcomeStatus, Position
from events.pattern import PatternEvent, pattern_id_of, stream_of
from events.readers_rule import Standing
from events.registry import read
from events.state_json import load_state
from events.stream import StreamState
from projectors.schema.generations import LIVE
from runtime.postgres import driver

StreamKey = tuple[str, str]
NameKey = tuple[str, str]
CommandKey = tuple[str, str]
VersionKey = tuple[str, str, int]
"""A pattern's stream, and one of its versions."""
Fields = Mapping[str, Json]


class Switched(Exception):
    """The rows that were read are no longer those of the live generations: take the partition anew."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Generations:
    """The schemas with the tables of each projection's generation."""

    library: str
    outcomes: str


FIRST = Generations(library="public", outcomes="public")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogHead:
    """The last link of a team's log: its sequence, and its record's hash."""

    sequence: int
    hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The first outcome of a command, as its topic holds it."""

    command_hash: str
    recorded_at: str
    status: OutcomeStatus
    answer: str


@dataclass(kw_only=True, slots=True)
class Wanted:
    """What a micro-batch of decisions needs: of `versions` the fields, of `events` what made the versions."""

    streams: set[StreamKey] = field(default_factory=set)
    versions: set[VersionKey] = field(default_factory=set)
    events: set[VersionKey] = field(default_factory=set)
    names: set[NameKey] = field(default_factory=set)
    teams: set[str] = field(default_factory=set)
    commands: set[CommandKey] = field(default_factory=set)

    def __bool__(self) -> bool:
        """Whether anything is wanted."""
        return any(getattr(self, name) for name in self.__slots__)

    def add(self, other: "Wanted") -> None:
        """Want what another wants, too."""
        for name in self.__slots__:
            getattr(self, name).update(getattr(other, name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Rows at one moment; a key without a row is not in its mapping."""

    heads_checkpoint: Point | None
    outcomes_checkpoint: Point | None
    position: Position | None
    states: dict[StreamKey, StreamState]
    versions: dict[VersionKey, Fields]
    events: dict[VersionKey, PatternEvent]
    names: dict[NameKey, str]
    logs: dict[str, LogHead]
    answers: dict[CommandKey, Answered]
    repairs: int = 0
    """How often rows of the partition were repaired."""

    @property
    def start(self) -> Start:
        """Where taking the partition begins to read; the log's beginning for a projection without rows."""
        return Start(
            heads=self.heads_checkpoint or BEGINNING,
            outcomes=self.outcomes_checkpoint or BEGINNING,
            position=self.position,
        )


_STATEMENT = """
SELECT 'checkpoint' AS kind, projection AS a, writer AS b, next_offset AS n, term AS m, fence_offset AS o,
       log_id::text AS c, repairs::text AS d
  FROM {library}.checkpoints WHERE partition = $1 AND projection = 'library'
UNION ALL
SELECT 'checkpoint', projection, writer, next_offset, term, fence_offset, log_id::text, repairs::text
  FROM {outcomes}.checkpoints WHERE partition = $1 AND projection = 'outcomes'
UNION ALL
SELECT 'live', projection, schema_name, 0, 0, 0, NULL, NULL
  FROM ({live}) AS live WHERE projection IN ('library', 'outcomes')
UNION ALL
SELECT 'position', NULL, NULL, next_command_offset, events_end, 0, NULL, NULL
  FROM {outcomes}.decider_positions WHERE partition = $1
UNION ALL
SELECT 'head', k.team_id, k.stream, 0, 0, 0, h.state, NULL
  FROM unnest($2::text[], $3::text[]) AS k(team_id, stream),
       LATERAL (SELECT state FROM {library}.heads WHERE team_id = k.team_id::uuid AND stream = k.stream) AS h
UNION ALL
SELECT 'name', k.team_id, k.name_key, 0, 0, 0, h.pattern_id::text, NULL
  FROM unnest($4::text[], $5::text[]) AS k(team_id, name_key),
       LATERAL (SELECT pattern_id FROM {library}.names
                 WHERE team_id = k.team_id::uuid AND name_key = k.name_key) AS h
UNION ALL
SELECT 'log', k.team_id, NULL, h.last_sequence, 0, 0, h.last_hash, NULL
  FROM unnest($6::text[]) AS k(team_id),
       LATERAL (SELECT last_sequence, last_hash FROM {library}.projected_logs
                 WHERE projection = 'library' AND team_id = k.team_id::uuid) AS h
UNION ALL
SELECT 'answer', k.team_id, k.command_id, 0, 0, 0, h.command_hash || ' ' || h.status || ' ' ||
       to_char(h.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), h.answer
  FROM unnest($7::text[], $8::text[]) AS k(team_id, command_id),
       LATERAL (SELECT command_hash, status, recorded_at, answer FROM {outcomes}.outcomes
                 WHERE team_id = k.team_id::uuid AND command_id = k.command_id::uuid) AS h
UNION ALL
SELECT 'version', k.team_id, k.pattern_id, k.version, 0, 0, h.fields, NULL
  FROM unnest($9::text[], $10::text[], $11::bigint[]) AS k(team_id, pattern_id, version),
       LATERAL (SELECT coalesce(item::json ->> 'fields', '{{}}') AS fields FROM {library}.history
                 WHERE team_id = k.team_id::uuid AND pattern_id = k.pattern_id::uuid
                   AND version = k.version) AS h
UNION ALL
SELECT 'event', k.team_id, k.pattern_id, k.version, 0, 0, h.type, h.data
  FROM unnest($12::text[], $13::text[], $14::bigint[]) AS k(team_id, pattern_id, version),
       LATERAL (SELECT event.type, event.data FROM {library}.history,
                       LATERAL json_to_record(item::json) AS event(type text, data text)
                 WHERE team_id = k.team_id::uuid AND pattern_id = k.pattern_id::uuid
                   AND version = k.version) AS h
"""


@lru_cache(maxsize=16)
def statement(generations: Generations) -> str:
    """The statement of a snapshot of these generations."""
    return _STATEMENT.format(library=generations.library, outcomes=generations.outcomes, live=LIVE)


async def live_generations(engine: AsyncEngine) -> Generations:
    """Which generations are live."""
    async with driver(engine) as pg:
        live = {row[0]: row[1] for row in await pg.fetch(LIVE)}
    return Generations(library=live["library"], outcomes=live["outcomes"])


async def read_snapshot(
    engine: AsyncEngine, partition: int, wanted: Wanted, generations: Generations = FIRST
) -> Snapshot:
    """The wanted rows and the partition's checkpoints; raise `Switched` if others are live by now."""
    arguments = [
        *_columns(wanted.streams, 2),
        *_columns(wanted.names, 2),
        list(wanted.teams),
        *_columns(wanted.commands, 2),
        *_columns(((team_id, pattern_id_of(stream), at) for team_id, stream, at in wanted.versions), 3),
        *_columns(((team_id, pattern_id_of(stream), at) for team_id, stream, at in wanted.events), 3),
    ]
    async with driver(engine) as pg:
        rows = await pg.fetch(statement(generations), partition, *arguments)
    by_kind: dict[str, list[tuple[str, str, int, int, int, str, str]]] = {}
    for kind, *columns in rows:
        by_kind.setdefault(kind, []).append(tuple(columns))
    if {a: b for a, b, *_ in by_kind["live"]} != asdict(generations):
        raise Switched("another generation is live")
    points = {
        a: Point(offset=n, standing=Standing(term=m, writer=b, fence_offset=o))
        for a, b, n, m, o, _, _ in by_kind.get("checkpoint", ())
    }
    return Snapshot(
        heads_checkpoint=points.get("library"),
        outcomes_checkpoint=points.get("outcomes"),
        position=_position(by_kind.get("position", ())),
        states={(a, b): load_state(c) for a, b, _, _, _, c, _ in by_kind.get("head", ())},
        versions={(a, stream_of(b), n): from_json(c) for a, b, n, _, _, c, _ in by_kind.get("version", ())},
        events={(a, stream_of(b), n): _event(c, d) for a, b, n, _, _, c, d in by_kind.get("event", ())},
        names={(a, b): c for a, b, _, _, _, c, _ in by_kind.get("name", ())},
        logs={a: LogHead(sequence=n, hash=c) for a, _, n, _, _, c, _ in by_kind.get("log", ())},
        answers={(a, b): _answered(c, d) for a, b, _, _, _, c, d in by_kind.get("answer", ())},
        repairs=sum(int(d) for *_, d in by_kind.get("checkpoint", ())),
    )


def _event(event_type: str, data: str) -> PatternEvent:
    event = read(event_type, data.encode())
    if not isinstance(event, PatternEvent):
        raise MalformedRecord(f"{event_type} in a pattern's history")
    return event


def _columns(keys: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Keys as one list for each of their parts, for unnest."""
    ordered = sorted(keys)
    return [[key[part] for key in ordered] for part in range(width)]


def _position(rows: Iterable[tuple[str, str, int, int, int, str, str]]) -> Position | None:
    for _, _, next_command_offset, events_end, _, _, _ in rows:
        return Position(next_command_offset=next_command_offset, events_end=events_end)
    return None


def _answered(packed: str, answer: str) -> Answered:
    command_hash, status, recorded_at = packed.split(" ")
    return Answered(
        command_hash=command_hash,
        recorded_at=recorded_at,
        status=cast(OutcomeStatus, status),
        answer=answer,
    )
