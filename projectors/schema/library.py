"""The tables of the library that its patterns fill, and the checkpoints of every projection."""

from hashlib import blake2b

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)

from projectors.schema.columns import Exact, Id, Time, metadata

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
    Column("term", BigInteger, nullable=False),
    Column("writer", Text, nullable=False),
    Column("fence_offset", BigInteger, nullable=False),
    Column("log_id", Id, nullable=False),
    Column("void_records", BigInteger, nullable=False, server_default="0"),
    Column("repairs", BigInteger, nullable=False, server_default="0", comment="How often rows were repaired"),
    Column("updated_at", Time, nullable=False, server_default=func.now()),
    comment="How far each projection has come in each partition, moved in the transaction of its rows",
)

projected_logs = Table(
    "projected_logs",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("team_id", Id, primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("log_id", Id, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("event_count", BigInteger, nullable=False),
    Column("last_hash", Text, nullable=False),
    comment="Per team's log: last sequence, count of events applied, and the hash chain's last link",
)

heads = Table(
    "heads",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("stream", Exact, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    # Which of them some team does not know is asked often, and rarely has an answer.
    Index(
        "ix_heads_organizations",
        "team_id",
        postgresql_include=["version"],
        postgresql_where=text("stream = 'organization'"),
    ),
    comment="The current state of each stream, for decisions",
)

names = Table(
    "names",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("name_key", Exact, primary_key=True),
    Column("pattern_id", Id, nullable=False),
    comment="The names that live patterns hold in their library",
)

patterns = Table(
    "patterns",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("pattern_id", Id, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("name", Exact, nullable=False),
    Column("category", Exact),
    Column("severity", SmallInteger),
    Column("tags", ARRAY(Exact), nullable=False),
    Column("facets", ARRAY(Id), nullable=False, comment="One `facet` per category, severity and tag"),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
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
    Column("team_id", Id, primary_key=True),
    Column("pattern_id", Id, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Index("ix_changes_sequence", "team_id", "sequence", unique=True),
    comment="The latest state of each pattern by position, tombstones included; item is ready-made JSON",
)

history = Table(
    "history",
    metadata,
    Column("team_id", Id, nullable=False),
    Column("pattern_id", Id, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("item", Text, nullable=False),
    Column("latest", Time, nullable=False, comment="The latest time at which any up to here was recorded"),
    Column("archived", Boolean, comment="NULL: deleted"),
    Column("name", Exact),
    Column("facets", ARRAY(Id), nullable=False, comment="One `facet` per category, severity and tag"),
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
    Column("team_id", Id, primary_key=True),
    Column("conflict_id", Id, primary_key=True),
    Column("pattern_id", Id, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("status", Exact, nullable=False),
    Column("item", Text, nullable=False),
    Column("closing", Text),
    Index("ix_conflicts_status", "team_id", "status", "sequence"),
    Index("ix_conflicts_pattern", "team_id", "pattern_id", "status", "sequence"),
    comment="Every conflict at the sequence of its detection; item and closing are ready-made JSON",
)


def facet(team_id: str, field: str, value: str) -> str:
    """What `patterns.facets` holds for a category, a severity (its word) or a tag: 128 bits of BLAKE2b, hex.

    They cover the team too, so one index finds every filter within a team, whatever the length of a value.
    """
    return blake2b(f"{team_id} {field}:{value}".encode(), digest_size=16).hexdigest()
