"""By which session or key each command was sent, beside from where."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_GENERATIONS = "SELECT schema_name FROM generations WHERE projection = 'origins' AND state <> 'dropped'"


def upgrade() -> None:
    """Add the column, in each generation; of what came before nothing is known."""
    for schema in _generations():
        column = sa.Column("credential", sa.Text(), comment="The session or the key by which it was sent")
        op.add_column("origins", column, schema=schema)


def downgrade() -> None:
    """Drop it."""
    for schema in _generations():
        op.drop_column("origins", "credential", schema=schema)


def _generations() -> list[str]:
    return [row[0] for row in op.get_bind().execute(sa.text(_GENERATIONS)).all()]
