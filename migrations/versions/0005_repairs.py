"""How often rows were repaired, by which a decider learns that what it remembers was built on wrong ones."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count repairs beside each checkpoint."""
    repairs = sa.Column(
        "repairs", sa.BigInteger(), nullable=False, server_default="0", comment="How often rows were repaired"
    )
    op.add_column("checkpoints", repairs)


def downgrade() -> None:
    """Count them no more."""
    op.drop_column("checkpoints", "repairs")
