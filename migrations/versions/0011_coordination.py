"""What organizations have made known to their teams, and the index by which those are found that have not."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LIBRARIES = "SELECT schema_name FROM generations WHERE projection = 'library' AND state <> 'dropped'"
_INDEX = "ix_heads_organizations"


def upgrade() -> None:
    """Make the tables, and the index in each generation."""
    op.create_table(
        "coordinated",
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("log_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_coordinated")),
        comment="The version of each organization that all its teams know",
        schema="public",
    )
    op.create_table(
        "coordination_refusals",
        sa.Column("organization_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("team_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "team_id", name=op.f("pk_coordination_refusals")),
        comment="Teams that do not take up what an organization says, and why",
        schema="public",
    )
    for schema in _libraries():
        op.create_index(
            _INDEX,
            "heads",
            ["team_id"],
            schema=schema,
            postgresql_include=["version"],
            postgresql_where=sa.text("stream = 'organization'"),
        )


def downgrade() -> None:
    """Drop them; what a team knows is in its own log."""
    for schema in _libraries():
        op.drop_index(_INDEX, "heads", schema=schema)
    for table in ("coordination_refusals", "coordinated"):
        op.drop_table(table, schema="public")


def _libraries() -> list[str]:
    return [row[0] for row in op.get_bind().execute(sa.text(_LIBRARIES)).all()]
