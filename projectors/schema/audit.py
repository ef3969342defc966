"""The tables of the audit: events, and from where commands came."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, text

from projectors.schema.columns import Exact, Id, Time, metadata

audit = Table(
    "audit",
    metadata,
    Column("team_id", Id, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("latest", Time, nullable=False, comment="The latest time at which any up to here was recorded"),
    Column("log_id", Id, nullable=False),
    Column("stream", Exact, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("type", Exact, nullable=False),
    Column("command_id", Id, nullable=False),
    Column("command_hash", LargeBinary, nullable=False),
    Column("command_index", BigInteger, nullable=False),
    Column("command_count", BigInteger, nullable=False),
    Column("actor", Exact, nullable=False),
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

origins = Table(
    "origins",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("command_offset", BigInteger, primary_key=True),
    Column("recorded_at", Time, nullable=False),
    Column("address", Text),
    Column("user_agent", Text),
    Column("credential", Text, comment="The session or the key by which it was sent"),
    Index("ix_origins_recorded_at", "recorded_at"),
    comment="From where each command came; kept apart from the log, and for a shorter time",
)
