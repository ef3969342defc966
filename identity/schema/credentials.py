"""The tables of credentials: hashes of what clients hold, and nothing that could be used."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)

from identity.schema.columns import Id, Time, metadata

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Id, primary_key=True),
    Column("user_id", Text, nullable=False, index=True),
    Column("device", Text, nullable=False, comment="What the user calls it"),
    Column("address", Text, nullable=False, comment="Where it was last refreshed from"),
    Column("created_at", Time, nullable=False, server_default=func.clock_timestamp()),
    Column("last_used_at", Time, nullable=False, server_default=func.clock_timestamp()),
    Column("expires_at", Time, nullable=False, index=True),
    Column("ended_at", Time),
    Column("generation", Integer, nullable=False, comment="Of the newest refresh tokens"),
    comment="Devices that are logged in",
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256 of the token"),
    Column("session_id", Id, ForeignKey(sessions.c.session_id, ondelete="CASCADE"), nullable=False),
    Column("generation", Integer, nullable=False, comment="How many were used before it"),
    Column("expires_at", Time, nullable=False),
    Column("used_at", Time),
    Index("ix_refresh_tokens_session_id", "session_id", "generation"),
    comment="The chain of each session; one that comes a second time ends its session",
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Id, primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the key"),
    Column("user_id", Text, nullable=False, index=True, comment="Whoever made it, and whom it acts for"),
    Column("name", Text, nullable=False),
    Column("team_id", Id, comment="The one team that it is good for"),
    Column("at_most", Text, nullable=False, comment="The role whose rights it has at the most"),
    Column("created_at", Time, nullable=False, server_default=func.clock_timestamp()),
    Column("expires_at", Time),
    Column("last_used_at", Time, comment="To the minute"),
    comment="Keys of machines, which act for a user",
)

revocations = Table(
    "revocations",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False, comment="token, session, user or key"),
    Column("subject", Text, nullable=False, index=True),
    Column("at", Time, nullable=False, server_default=func.clock_timestamp()),
    Column("expires_at", Time, nullable=False, index=True),
    # Ids are not seen in their order: a transaction that began earlier may commit later.
    Column(
        "written_by",
        BigInteger,
        nullable=False,
        index=True,
        server_default=text("pg_current_xact_id()::text::bigint"),
        comment="The transaction",
    ),
    comment="What ended before its time, for as long as it could have lasted",
)
