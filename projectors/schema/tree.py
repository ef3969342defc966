"""The tables of Merkle trees, and of their signed heads."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, Table, Text, func

from projectors.schema.columns import Id, Time, metadata

tiles = Table(
    "tiles",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    comment="The complete tiles of each team's Merkle tree; none ever changes",
)

tree_edges = Table(
    "tree_edges",
    metadata,
    Column("team_id", Id, primary_key=True),
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
    Column("team_id", Id, primary_key=True),
    Column("log_id", Id, primary_key=True),
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("time_s", BigInteger, nullable=False, comment="POSIX time that it states"),
    Column("note", Text, nullable=False),
    comment="The signed heads of each log's tree, as in their topic",
)

tree_alarms = Table(
    "tree_alarms",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("log_id", Id, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("raised_at", Time, nullable=False, server_default=func.now()),
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
