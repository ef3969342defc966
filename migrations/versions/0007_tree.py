"""The Merkle tree over each team's log, and the signed heads of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_REFILLED = ("heads", "names", "patterns", "changes", "history", "conflicts", "audit")


def upgrade() -> None:
    """Add tables. The leaves are hashes of records, which only the log has: the projection begins anew."""
    for table in ("tiles", "tree_edges"):
        key = ("team_id", "level", "index") if table == "tiles" else ("team_id", "level")
        op.create_table(
            table,
            sa.Column("team_id", sa.UUID(as_uuid=False), nullable=False),
            sa.Column("level", sa.SmallInteger(), nullable=False),
            sa.Column("index", sa.BigInteger(), nullable=False),
            sa.Column("hashes", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
            comment="The complete tiles of each team's Merkle tree; none ever changes"
            if table == "tiles"
            else "Per level the tile of each team's Merkle tree that is not complete",
        )
        # Hashes do not compress.
        op.execute(f"ALTER TABLE {table} ALTER hashes SET STORAGE EXTERNAL")
    _heads()
    op.execute(f"TRUNCATE {', '.join(_REFILLED)}")
    for table in ("projected_logs", "checkpoints"):
        op.execute(f"DELETE FROM {table} WHERE projection = 'library'")  # noqa: S608 - our constants


def _heads() -> None:
    op.create_table(
        "tree_heads",
        *_team_and_log(),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("time_s", sa.BigInteger(), nullable=False, comment="POSIX time that it states"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "log_id", "size", name=op.f("pk_tree_heads")),
        comment="The signed heads of each log's tree, as in their topic",
        schema="public",
    )
    op.create_table(
        "tree_alarms",
        *_team_and_log(),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("team_id", "log_id", name=op.f("pk_tree_alarms")),
        comment="Logs whose heads are signed no more until an operator has acted, and why",
        schema="public",
    )
    op.create_table(
        "tree_keys",
        sa.Column("offset", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("offset", name=op.f("pk_tree_keys")),
        comment="Signed notes that name the keys in use, as in the topic of heads",
        schema="public",
    )
    op.create_table(
        "tree_head_positions",
        sa.Column("partition", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partition", name=op.f("pk_tree_head_positions")),
        comment="How far the topic of heads was read into the tables",
        schema="public",
    )


def _team_and_log() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("team_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("log_id", sa.UUID(as_uuid=False), nullable=False),
    )


def downgrade() -> None:
    """Drop them; the log and the topic of heads have what they held."""
    for table in ("tiles", "tree_edges"):
        op.drop_table(table)
    for table in ("tree_heads", "tree_alarms", "tree_keys", "tree_head_positions"):
        op.drop_table(table, schema="public")
