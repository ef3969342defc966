"""What reads of the past look for in `history`: when it was, and what lists filter and sort by."""

import json
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROWS = 1000
_INDEXES = ("ix_history_sequence", "ix_history_latest", "ix_history_name", "ix_history_facets")
_COLUMNS = ("latest", "archived", "name", "facets")

_FILL = """
WITH told AS (
    SELECT team_id, pattern_id, version, item -> 'fields' ->> 'name' AS name,
           max((item ->> 'recorded_at')::timestamptz) OVER (PARTITION BY team_id ORDER BY sequence) AS latest,
           coalesce(max(version) FILTER (WHERE item ->> 'type' LIKE 'pattern.archived.%') OVER earlier, 0)
         > coalesce(max(version) FILTER (WHERE item ->> 'type' LIKE 'pattern.restored.%') OVER earlier, 0)
           AS archived
      FROM (SELECT team_id, pattern_id, version, sequence, item::json AS item FROM history) AS versions
    WINDOW earlier AS (PARTITION BY team_id, pattern_id ORDER BY version)
)
UPDATE history SET latest = told.latest, name = told.name, facets = '{}',
                   archived = CASE WHEN told.name IS NOT NULL THEN told.archived END
  FROM told
 WHERE history.team_id = told.team_id AND history.pattern_id = told.pattern_id
   AND history.version = told.version
"""
_NEXT = """
SELECT team_id::text, pattern_id::text, version, item::json ->> 'fields'
  FROM history WHERE (team_id, pattern_id, version) > (:team_id, :pattern_id, :version)
 ORDER BY history.team_id, history.pattern_id, version LIMIT :rows
"""
_SET = """
UPDATE history SET facets = found.facets
  FROM json_to_recordset(CAST(:found AS json))
    AS found (team_id uuid, pattern_id uuid, version bigint, facets uuid[])
 WHERE history.team_id = found.team_id AND history.pattern_id = found.pattern_id
   AND history.version = found.version
"""


def upgrade() -> None:
    """Add columns and indexes. What the columns hold is in the rows already: they are filled from that."""
    _add_columns()
    op.execute(_FILL)
    _fill_facets()
    for column in ("latest", "facets"):
        op.alter_column("history", column, nullable=False)
    _key(" INCLUDE (sequence)")
    op.create_index("ix_history_sequence", "history", ["team_id", "sequence"], unique=True)
    op.create_index("ix_history_latest", "history", ["team_id", "latest", "sequence"])
    op.create_index("ix_history_name", "history", ["team_id", "archived", "name", "pattern_id"])
    op.create_index(
        "ix_history_facets",
        "history",
        ["facets"],
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 256},
    )
    comment = "Every version of every pattern; item is ready-made JSON, the rest is of the pattern then"
    op.create_table_comment("history", comment)


def downgrade() -> None:
    """Drop them; what they held is in the rows."""
    for index in _INDEXES:
        op.drop_index(index, "history")
    _key("")
    for column in _COLUMNS:
        op.drop_column("history", column)
    op.create_table_comment("history", "Every version of every pattern; item is ready-made JSON")


def _add_columns() -> None:
    latest = "The latest time at which any up to here was recorded"
    facets = "One `facet` per category, severity and tag"
    for column in (
        sa.Column("latest", sa.DateTime(timezone=True), comment=latest),
        sa.Column("archived", sa.Boolean(), comment="NULL: deleted"),
        sa.Column("name", sa.Text(collation="C")),
        sa.Column("facets", sa.ARRAY(sa.UUID(as_uuid=False)), comment=facets),
    ):
        op.add_column("history", column)


def _key(include: str) -> None:
    op.execute("ALTER TABLE history DROP CONSTRAINT pk_history")
    op.execute(
        f"ALTER TABLE history ADD CONSTRAINT pk_history PRIMARY KEY (team_id, pattern_id, version){include}"
    )


def _fill_facets() -> None:
    """Postgres does not know the hash that they are made by."""
    nothing = "00000000-0000-0000-0000-000000000000"
    last: dict[str, Any] = {"team_id": nothing, "pattern_id": nothing, "version": 0}
    connection = op.get_bind()
    while rows := connection.execute(sa.text(_NEXT), {**last, "rows": _ROWS}).all():
        keys = [dict(zip(last, row, strict=False)) for row in rows]
        facets = [_facets(row[0], json.loads(row[3] or "{}")) for row in rows]
        found = [{**key, "facets": one} for key, one in zip(keys, facets, strict=True) if one]
        connection.execute(sa.text(_SET), {"found": json.dumps(found)})
        last = keys[-1]


def _facets(team_id: str, fields: dict[str, Any]) -> list[str]:
    words = [(name, fields.get(name)) for name in ("category", "severity")]
    words += [("tag", tag) for tag in fields.get("tags", [])]
    return [
        blake2b(f"{team_id} {name}:{value}".encode(), digest_size=16).hexdigest()
        for name, value in words
        if value is not None
    ]
