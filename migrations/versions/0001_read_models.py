"""The first tables: the read models, and the checkpoints that they move with."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "checkpoints",
    "projected_logs",
    "heads",
    "names",
    "patterns",
    "changes",
    "history",
    "outcomes",
    "decider_positions",
)


def upgrade() -> None:
    """Create every table."""
    _checkpoints()
    _projected_logs()
    _heads_and_names()
    _patterns()
    _changes_and_history()
    _outcomes()
    _decider_positions()


def downgrade() -> None:
    """Drop every table; what they held is in the log."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.UUID(as_uuid=False), nullable=nullable)


def _number(name: str, *, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=default)


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _exact(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=nullable)


def _time(name: str, *, default: sa.TextClause | None = None) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=default)


def _checkpoints() -> None:
    op.create_table(
        "checkpoints",
        _text("projection"),
        _small("generation"),
        _small("partition"),
        _number("next_offset"),
        _number("term"),
        _text("writer"),
        _number("fence_offset"),
        _id("log_id"),
        _number("void_records", default="0"),
        _time("updated_at", default=sa.text("now()")),
        sa.PrimaryKeyConstraint("projection", "generation", "partition", name="pk_checkpoints"),
        comment="How far each projection has come in each partition, moved in the transaction of its rows",
    )


def _projected_logs() -> None:
    op.create_table(
        "projected_logs",
        _text("projection"),
        _small("generation"),
        _id("team_id"),
        _small("partition"),
        _id("log_id"),
        _number("last_sequence"),
        _number("event_count"),
        _text("last_hash"),
        sa.PrimaryKeyConstraint("projection", "generation", "team_id", name="pk_projected_logs"),
        comment="Per team's log: last sequence, count of events applied, and the hash chain's last link",
    )


def _heads_and_names() -> None:
    op.create_table(
        "heads",
        _id("team_id"),
        _exact("stream"),
        _number("version"),
        _text("state"),
        sa.PrimaryKeyConstraint("team_id", "stream", name="pk_heads"),
        comment="The current state of each stream, for decisions",
    )
    op.create_table(
        "names",
        _id("team_id"),
        _exact("name_key"),
        _id("pattern_id"),
        sa.PrimaryKeyConstraint("team_id", "name_key", name="pk_names"),
        comment="The names that live patterns hold in their library",
    )


def _patterns() -> None:
    op.create_table(
        "patterns",
        _id("team_id"),
        _id("pattern_id"),
        _number("version"),
        _number("sequence"),
        sa.Column("archived", sa.Boolean(), nullable=False),
        _exact("name"),
        _exact("category", nullable=True),
        sa.Column("severity", sa.SmallInteger(), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text(collation="C")), nullable=False),
        sa.Column(
            "facets",
            sa.ARRAY(sa.UUID(as_uuid=False)),
            nullable=False,
            comment="One `facet` per category, severity and tag",
        ),
        _time("created_at"),
        _time("updated_at"),
        _text("fields"),
        sa.PrimaryKeyConstraint("team_id", "pattern_id", name="pk_patterns"),
        comment="Live and archived patterns, for queries; fields is the JSON text as written",
    )
    op.create_index("ix_patterns_name", "patterns", ["team_id", "archived", "name", "pattern_id"])
    op.create_index("ix_patterns_sequence", "patterns", ["team_id", "archived", "sequence"])
    op.create_index(
        "ix_patterns_facets",
        "patterns",
        ["facets"],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 256},
    )


def _changes_and_history() -> None:
    op.create_table(
        "changes",
        _id("team_id"),
        _id("pattern_id"),
        _number("sequence"),
        _text("item"),
        sa.PrimaryKeyConstraint("team_id", "pattern_id", name="pk_changes"),
        comment="The latest state of each pattern by position, tombstones included; item is ready-made JSON",
    )
    op.create_index("ix_changes_sequence", "changes", ["team_id", "sequence"], unique=True)
    op.create_table(
        "history",
        _id("team_id"),
        _id("pattern_id"),
        _number("version"),
        _number("sequence"),
        _text("item"),
        sa.PrimaryKeyConstraint("team_id", "pattern_id", "version", name="pk_history"),
        comment="Every version of every pattern; item is ready-made JSON",
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        _id("team_id"),
        _id("command_id"),
        _small("partition"),
        _number("command_offset"),
        _text("command_hash"),
        _id("log_id"),
        _time("recorded_at"),
        _text("status"),
        _text("answer"),
        sa.PrimaryKeyConstraint("team_id", "command_id", name="pk_outcomes"),
        comment="The first answer to each command; answer is the outcome's JSON text",
    )
    op.create_index("ix_outcomes_recorded_at", "outcomes", ["recorded_at"])


def _decider_positions() -> None:
    op.create_table(
        "decider_positions",
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        _number("next_command_offset"),
        _number("events_end"),
        sa.PrimaryKeyConstraint("partition", name="pk_decider_positions"),
        comment="The position in the last outcome or mark that the outcomes projection has seen",
    )
