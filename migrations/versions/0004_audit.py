"""The audit: every event as written, refused commands, and from where commands came."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.UUID(as_uuid=False)
_TIME = sa.DateTime(timezone=True)
_EXACT = sa.Text(collation="C")
_RARE = "type NOT IN ('pattern.recorded.v1', 'pattern.edited.v1', 'pattern.edited.v2', 'pattern.edited.v3')"
_ACTOR = sa.text('"left"(actor, 256)')


def upgrade() -> None:
    """Add the tables. What was projected before is not in them: rebuild the projections for that."""
    _create_audit()
    _create_refusals()
    _create_origins()


def downgrade() -> None:
    """Drop them; the topics have what they held."""
    for table in ("origins", "refusals", "audit"):
        op.drop_table(table)
    op.execute("DELETE FROM checkpoints WHERE projection = 'origins'")


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("team_id", _ID, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column(
            "latest", _TIME, nullable=False, comment="The latest time at which any up to here was recorded"
        ),
        sa.Column("log_id", _ID, nullable=False),
        sa.Column("stream", _EXACT, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("type", _EXACT, nullable=False),
        sa.Column("command_id", _ID, nullable=False),
        sa.Column("command_hash", sa.LargeBinary, nullable=False),
        sa.Column("command_index", sa.BigInteger, nullable=False),
        sa.Column("command_count", sa.BigInteger, nullable=False),
        sa.Column("actor", _EXACT, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("request_id", "occurred_at", "recorded_at")),
        sa.Column("previous_hash", sa.LargeBinary, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column(
            "before", sa.Text, comment="Of what the event changed, what was there before, as a JSON object"
        ),
        comment="Every event of every stream: all of its record as written, and what it changed",
    )
    op.create_index(
        "ix_audit_type", "audit", ["team_id", "type", "sequence"], postgresql_where=sa.text(_RARE)
    )
    op.create_index("ix_audit_actor", "audit", ["team_id", _ACTOR, "sequence"])
    other_streams = sa.text("stream NOT LIKE 'patterns/%'")
    op.create_index(
        "ix_audit_stream", "audit", ["team_id", "stream", "sequence"], postgresql_where=other_streams
    )


def _create_refusals() -> None:
    op.create_table(
        "refusals",
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("command_offset", sa.BigInteger, primary_key=True),
        sa.Column("team_id", _ID, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("code", _EXACT, nullable=False),
        sa.Column("actor", _EXACT),
        sa.Column("item", sa.Text, nullable=False),
        comment="Every command that was refused, while its outcome is kept; item is ready-made JSON",
    )
    order = ("recorded_at", "command_offset")
    op.create_index("ix_refusals_recorded_at", "refusals", ["recorded_at"])
    op.create_index("ix_refusals_team", "refusals", ["team_id", *order])
    op.create_index("ix_refusals_code", "refusals", ["team_id", "code", *order])
    op.create_index("ix_refusals_actor", "refusals", ["team_id", _ACTOR, *order])


def _create_origins() -> None:
    op.create_table(
        "origins",
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("command_offset", sa.BigInteger, primary_key=True),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("user_agent", sa.Text),
        comment="From where each command came; kept apart from the log, and for a shorter time",
    )
    op.create_index("ix_origins_recorded_at", "origins", ["recorded_at"])
