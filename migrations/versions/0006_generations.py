"""Generations: which fillings of a projection's tables there are, where, and which one is live."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEYS = {"checkpoints": "partition", "projected_logs": "team_id"}
_LIVE = "SELECT DISTINCT schema_name FROM generations WHERE state <> 'dropped' AND schema_name <> 'public'"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = :schema"
_FORGET = "DELETE FROM public.checkpoints WHERE projection IN (SELECT projection FROM {schema}.checkpoints)"
_ADD = "INSERT INTO public.checkpoints ({columns}) SELECT {columns} FROM {schema}.checkpoints"
_COLUMNS = (
    "projection, partition, next_offset, term, writer, fence_offset, log_id, void_records,"
    " updated_at, repairs"
)
"""By name: not every generation has them in the same order."""


def upgrade() -> None:
    """Make the table. What is there is generation 1, and a generation is told by where its tables are."""
    for table, last in _KEYS.items():
        op.drop_constraint(f"pk_{table}", table)
        op.drop_column(table, "generation")
        op.create_primary_key(f"pk_{table}", table, ["projection", last])
    op.create_table(
        "generations",
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("schema_name", sa.Text(), nullable=False, comment="Where its tables are"),
        sa.Column("state", sa.Text(), nullable=False, comment="filling, fed or dropped"),
        sa.Column(
            "turn",
            sa.BigInteger(),
            nullable=False,
            server_default="0",
            comment="The highest: live. 0: never was",
        ),
        sa.PrimaryKeyConstraint("projection", "number", name="pk_generations"),
        comment="Fillings of each projection's tables; live is the one that was switched to last",
    )
    op.execute(
        "INSERT INTO generations (projection, number, schema_name, state, turn)"
        " VALUES ('library', 1, 'public', 'fed', 1), ('outcomes', 1, 'public', 'fed', 1),"
        " ('origins', 1, 'public', 'fed', 1)"
    )


def downgrade() -> None:
    """Drop the table, with the live tables where a database without it looks for them."""
    for (schema,) in op.get_bind().execute(sa.text(_LIVE)).all():
        _move_home(schema)
    op.drop_table("generations")
    for table, last in _KEYS.items():
        op.drop_constraint(f"pk_{table}", table)
        op.add_column(table, sa.Column("generation", sa.Integer(), nullable=False, server_default="1"))
        op.alter_column(table, "generation", server_default=None)
        op.create_primary_key(f"pk_{table}", table, ["projection", "generation", last])


def _move_home(schema: str) -> None:
    """Move a generation's tables to where the first one was, whose own are gone. All share `checkpoints`."""
    for (table,) in op.get_bind().execute(sa.text(_TABLES), {"schema": schema}).all():
        if table == "checkpoints" and sa.inspect(op.get_bind()).has_table(table, schema="public"):
            # Of a projector that came too late, rows without a table that they tell of may be left.
            op.execute(_FORGET.format(schema=schema))
            op.execute(_ADD.format(schema=schema, columns=_COLUMNS))
        else:
            op.execute(f"DROP TABLE IF EXISTS public.{table}")
            op.execute(f"ALTER TABLE {schema}.{table} SET SCHEMA public")
    op.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
