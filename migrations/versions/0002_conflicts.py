"""The read model of conflicts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. It is filled from here on: no event before this revision tells of a conflict."""
    op.create_table(
        "conflicts",
        sa.Column("team_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("conflict_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("pattern_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("closing", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("team_id", "conflict_id", name="pk_conflicts"),
        comment="Every conflict at the sequence of its detection; item and closing are ready-made JSON",
    )
    op.create_index("ix_conflicts_status", "conflicts", ["team_id", "status", "sequence"])
    op.create_index("ix_conflicts_pattern", "conflicts", ["team_id", "pattern_id", "status", "sequence"])


def downgrade() -> None:
    """Drop the table; what it held is in the log."""
    op.drop_table("conflicts")
