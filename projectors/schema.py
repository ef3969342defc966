"""Every table that projections fill, their checkpoints, and the generations that these tables are of."""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import chain

from sqlalchemy import (
    ARRAY,
    DDL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

_Id = UUID(as_uuid=False)
_Time = DateTime(timezone=True)
_Exact = Text(collation="C")

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("writer", Text, nullable=False),
    Column("fence_offset", BigInteger, nullable=False),
    Column("log_id", _Id, nullable=False),
    Column("void_records", BigInteger, nullable=False, server_default="0"),
    Column("repairs", BigInteger, nullable=False, server_default="0", comment="How often rows were repaired"),
    Column("updated_at", _Time, nullable=False, server_default=func.now()),
    comment="How far each projection has come in each partition, moved in the transaction of its rows",
)

projected_logs = Table(
    "projected_logs",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("team_id", _Id, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("log_id", _Id, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("event_count", BigInteger, nullable=False),
    Column("last_hash", Text, nullable=False),
    comment="Per team's log: last sequence, count of events applied, and the hash chain's last link",
)

heads = Table(
    "heads",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("stream", _Exact, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    comment="The current state of each stream, for decisions",
)

names = Table(
    "names",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("name_key", _Exact, primary_key=True),
    Column("pattern_id", _Id, nullable=False),
    comment="The names that live patterns hold in their library",
)

patterns = Table(
    "patterns",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("pattern_id", _Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("name", _Exact, nullable=False),
    Column("category", _Exact),
    Column("severity", SmallInteger),
    Column("tags", ARRAY(_Exact), nullable=False),
    Column("facets", ARRAY(_Id), nullable=False, comment="One `facet` per category, severity and tag"),
    Column("created_at", _Time, nullable=False),
    Column("updated_at", _Time, nullable=False),
    Column("fields", Text, nullable=False),
    Index("ix_patterns_name", "team_id", "archived", "name", "pattern_id"),
    Index("ix_patterns_sequence", "team_id", "archived", "sequence"),
    # Each reading looks through the pending list: a short one costs writers nothing and readers little.
    Index(
        "ix_patterns_facets",
        "facets",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 256},
    ),
    comment="Live and archived patterns, for queries; fields is the JSON text as written",
)

changes = Table(
    "changes",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("pattern_id", _Id, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Index("ix_changes_sequence", "team_id", "sequence", unique=True),
    comment="The latest state of each pattern by position, tombstones included; item is ready-made JSON",
)

history = Table(
    "history",
    metadata,
    Column("team_id", _Id, nullable=False),
    Column("pattern_id", _Id, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Column("latest", _Time, nullable=False, comment="The latest time at which any up to here was recorded"),
    Column("archived", Boolean, comment="NULL: deleted"),
    Column("name", _Exact),
    Column("facets", ARRAY(_Id), nullable=False, comment="One `facet` per category, severity and tag"),
    # Whether a version was current at a point is asked of the next one, whose sequence the key alone tells.
    PrimaryKeyConstraint("team_id", "pattern_id", "version", postgresql_include=["sequence"]),
    Index("ix_history_sequence", "team_id", "sequence", unique=True),
    Index("ix_history_latest", "team_id", "latest", "sequence"),
    Index("ix_history_name", "team_id", "archived", "name", "pattern_id"),
    Index(
        "ix_history_facets",
        "facets",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 256},
    ),
    comment="Every version of every pattern; item is ready-made JSON, the rest is of the pattern then",
)

conflicts = Table(
    "conflicts",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("conflict_id", _Id, primary_key=True),
    Column("pattern_id", _Id, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("status", _Exact, nullable=False),
    Column("item", Text, nullable=False),
    Column("closing", Text),
    Index("ix_conflicts_status", "team_id", "status", "sequence"),
    Index("ix_conflicts_pattern", "team_id", "pattern_id", "status", "sequence"),
    comment="Every conflict at the sequence of its detection; item and closing are ready-made JSON",
)

audit = Table(
    "audit",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("latest", _Time, nullable=False, comment="The latest time at which any up to here was recorded"),
    Column("log_id", _Id, nullable=False),
    Column("stream", _Exact, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("type", _Exact, nullable=False),
    Column("command_id", _Id, nullable=False),
    Column("command_hash", LargeBinary, nullable=False),
    Column("command_index", BigInteger, nullable=False),
    Column("command_count", BigInteger, nullable=False),
    Column("actor", _Exact, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("occurred_at", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("data", Text, nullable=False),
    Column("before", Text, comment="Of what the event changed, what was there before, as a JSON object"),
    # Nearly all events are of these: they are found by going over all.
    Index(
        "ix_audit_type",
        *("team_id", "type", "sequence"),
        postgresql_where=text(
            "type NOT IN ('pattern.recorded.v1', "
            "'pattern.edited.v1', 'pattern.edited.v2', 'pattern.edited.v3')"
        ),
    ),
    # The log bounds no actor, an index does.
    Index("ix_audit_actor", "team_id", text('"left"(actor, 256)'), "sequence"),
    # Those of a pattern are found by way of its history.
    Index(
        "ix_audit_stream",
        *("team_id", "stream", "sequence"),
        postgresql_where=text("stream NOT LIKE 'patterns/%'"),
    ),
    comment="Every event of every stream: all of its record as written, and what it changed",
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("command_id", _Id, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("command_offset", BigInteger, nullable=False),
    Column("command_hash", Text, nullable=False),
    Column("log_id", _Id, nullable=False),
    Column("recorded_at", _Time, nullable=False),
    Column("status", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_outcomes_recorded_at", "recorded_at"),
    comment="The first answer to each command; answer is the outcome's JSON text",
)

refusals = Table(
    "refusals",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("command_offset", BigInteger, primary_key=True),
    Column("team_id", _Id, nullable=False),
    Column("recorded_at", _Time, nullable=False),
    Column("code", _Exact, nullable=False),
    Column("actor", _Exact),
    Column("item", Text, nullable=False),
    Index("ix_refusals_recorded_at", "recorded_at"),
    Index("ix_refusals_team", "team_id", "recorded_at", "command_offset"),
    Index("ix_refusals_code", "team_id", "code", "recorded_at", "command_offset"),
    Index("ix_refusals_actor", "team_id", text('"left"(actor, 256)'), "recorded_at", "command_offset"),
    comment="Every command that was refused, while its outcome is kept; item is ready-made JSON",
)

origins = Table(
    "origins",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("command_offset", BigInteger, primary_key=True),
    Column("recorded_at", _Time, nullable=False),
    Column("address", Text),
    Column("user_agent", Text),
    Index("ix_origins_recorded_at", "recorded_at"),
    comment="From where each command came; kept apart from the log, and for a shorter time",
)

decider_positions = Table(
    "decider_positions",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_command_offset", BigInteger, nullable=False),
    Column("events_end", BigInteger, nullable=False),
    comment="The position in the last outcome or mark that the outcomes projection has seen",
)

generations = Table(
    "generations",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("schema_name", Text, nullable=False, comment="Where its tables are"),
    Column("state", Text, nullable=False, comment="filling, fed or dropped"),
    Column("turn", BigInteger, nullable=False, server_default="0", comment="The highest: live. 0: never was"),
    comment="Fillings of each projection's tables; live is the one that was switched to last",
)
event.listen(
    generations,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "INSERT INTO generations (projection, number, schema_name, state, turn)"
        " VALUES ('library', 1, 'public', 'fed', 1), ('outcomes', 1, 'public', 'fed', 1),"
        " ('origins', 1, 'public', 'fed', 1)"
    ),
)

LIVE = """
SELECT DISTINCT ON (projection) projection, schema_name FROM public.generations ORDER BY projection, turn DESC
"""
"""By projection, the schema with the tables of its live generation."""

_COMMON = ("generations", "tree_heads", "tree_alarms", "tree_keys", "tree_head_positions")
_BESIDE_CHECKPOINTS = {"outcomes": ("outcomes", "refusals", "decider_positions"), "origins": ("origins",)}


def tables_of(projection: str) -> list[Table]:
    """The tables that each generation of a projection has for itself."""
    if projection in _BESIDE_CHECKPOINTS:
        return [metadata.tables[name] for name in ("checkpoints", *_BESIDE_CHECKPOINTS[projection])]
    others = {*_COMMON, *chain.from_iterable(_BESIDE_CHECKPOINTS.values())}
    return [table for table in metadata.sorted_tables if table.name not in others]


def search_path(schemas: Iterable[str]) -> str:
    """The path on which plain names mean these schemas' tables, and what no generation has for itself."""
    return ", ".join(sorted({*schemas, "public"}, key=lambda schema: (schema == "public", schema)))


tiles = Table(
    "tiles",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    comment="The complete tiles of each team's Merkle tree; none ever changes",
)

tree_edges = Table(
    "tree_edges",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
    comment="Per level the tile of each team's Merkle tree that is not complete",
)

TILES = " UNION ALL ".join(
    f"SELECT level, index, hashes FROM {table.name} JOIN unnest($2::smallint[], $3::bigint[])"  # noqa: S608
    " AS k (level, index) USING (level, index) WHERE team_id = $1"
    for table in (tiles, tree_edges)
)
"""Those tiles of a team's tree that are there, complete or not, as of one snapshot."""

tree_heads = Table(
    "tree_heads",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("log_id", _Id, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("time_s", BigInteger, nullable=False, comment="POSIX time that it states"),
    Column("note", Text, nullable=False),
    comment="The signed heads of each log's tree, as in their topic",
)

tree_alarms = Table(
    "tree_alarms",
    metadata,
    Column("team_id", _Id, primary_key=True),
    Column("log_id", _Id, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("raised_at", _Time, nullable=False, server_default=func.now()),
    comment="Logs whose heads are signed no more until an operator has acted, and why",
)

tree_keys = Table(
    "tree_keys",
    metadata,
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    comment="Signed notes that name the keys in use, as in the topic of heads",
)

tree_head_positions = Table(
    "tree_head_positions",
    metadata,
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    comment="How far the topic of heads was read into the tables",
)


def facet(team_id: str, field: str, value: str) -> str:
    """What `patterns.facets` holds for a category, a severity (its word) or a tag: 128 bits of BLAKE2b, hex.

    They cover the team too, so one index finds every filter within a team, whatever the length of a value.
    """
    return blake2b(f"{team_id} {field}:{value}".encode(), digest_size=16).hexdigest()
