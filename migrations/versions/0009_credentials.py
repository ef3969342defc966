"""Sessions with their refresh tokens, API keys, and what was revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SCHEMA = "identity"


def upgrade() -> None:
    """Add the tables; they hold hashes of what clients hold, and nothing that could be used."""
    _sessions()
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the key"),
        sa.Column("user_id", sa.Text(), nullable=False, comment="Whoever made it, and whom it acts for"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("team_id", sa.UUID(as_uuid=False), comment="The one team that it is good for"),
        sa.Column("at_most", sa.Text(), nullable=False, comment="The role whose rights it has at the most"),
        _time("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("last_used_at", sa.DateTime(timezone=True), comment="To the minute"),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
        schema=SCHEMA,
        comment="Keys of machines, which act for a user",
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], schema=SCHEMA)
    _revocations()


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False, comment="What the user calls it"),
        sa.Column("address", sa.Text(), nullable=False, comment="Where it was last refreshed from"),
        _time("created_at"),
        _time("last_used_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("generation", sa.Integer(), nullable=False, comment="Of the newest refresh tokens"),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_sessions")),
        schema=SCHEMA,
        comment="Devices that are logged in",
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], schema=SCHEMA)
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], schema=SCHEMA)
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token"),
        sa.Column("session_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, comment="How many were used before it"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_refresh_tokens")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            [f"{SCHEMA}.sessions.session_id"],
            name=op.f("fk_refresh_tokens_session_id"),
            ondelete="CASCADE",
        ),
        schema=SCHEMA,
        comment="The chain of each session; one that comes a second time ends its session",
    )
    op.create_index(
        op.f("ix_refresh_tokens_session_id"),
        "refresh_tokens",
        ["session_id", "generation"],
        schema=SCHEMA,
    )


def _revocations() -> None:
    op.create_table(
        "revocations",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="token, session, user or key"),
        sa.Column("subject", sa.Text(), nullable=False),
        _time("at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        # Ids are not seen in their order: a transaction that began earlier may commit later.
        sa.Column(
            "written_by",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("pg_current_xact_id()::text::bigint"),
            comment="The transaction",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
        schema=SCHEMA,
        comment="What ended before its time, for as long as it could have lasted",
    )
    op.create_index(op.f("ix_revocations_written_by"), "revocations", ["written_by"], schema=SCHEMA)
    op.create_index(op.f("ix_revocations_expires_at"), "revocations", ["expires_at"], schema=SCHEMA)
    op.create_index(op.f("ix_revocations_subject"), "revocations", ["subject"], schema=SCHEMA)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()
    )


def downgrade() -> None:
    """Drop them: everybody has to log in again, and machines need new keys."""
    for table in ("refresh_tokens", "sessions", "api_keys", "revocations"):
        op.drop_table(table, schema=SCHEMA)
