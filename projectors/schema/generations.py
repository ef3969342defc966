"""Which generations there are, and which tables are theirs; all other tables are there once."""

from collections.abc import Iterable

from sqlalchemy import DDL, BigInteger, Column, Integer, Table, Text, event

from projectors.schema import audit, library, outcomes, people, tree
from projectors.schema.columns import metadata

generations = Table(
    "generations",
    metadata,
    Column("projection", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("schema_name", Text, nullable=False, comment="Where its tables are"),
    Column("state", Text, nullable=False, comment="filling, fed or dropped"),
    Column("turn", BigInteger, nullable=False, server_default="0", comment="The highest: live. 0: never was"),
    comment="Fillings of each projection's tables; live is the one that was switched to last",
)

event.listen(
    generations,
    "after_create",
    DDL(  # type: ignore[no-untyped-call]
        "INSERT INTO generations (projection, number, schema_name, state, turn)"
        " VALUES ('library', 1, 'public', 'fed', 1), ('outcomes', 1, 'public', 'fed', 1),"
        " ('origins', 1, 'public', 'fed', 1)"
    ),
)

LIVE = """
SELECT DISTINCT ON (projection) projection, schema_name FROM public.generations ORDER BY projection, turn DESC
"""
"""By projection, the schema with the tables of its live generation."""

_OF = {
    "library": (
        *(library.projected_logs, library.heads, library.names, library.patterns, library.changes),
        *(library.history, library.conflicts, audit.audit, tree.tiles, tree.tree_edges),
        *people.PEOPLE,
    ),
    "outcomes": (outcomes.outcomes, outcomes.refusals, outcomes.decider_positions),
    "origins": (audit.origins,),
}


def tables_of(projection: str) -> list[Table]:
    """The tables that each generation of a projection has for itself."""
    return [library.checkpoints, *_OF[projection]]


def search_path(schemas: Iterable[str]) -> str:
    """The path on which plain names mean these schemas' tables, and what no generation has for itself."""
    return ", ".join(sorted({*schemas, "public"}, key=lambda schema: (schema == "public", schema)))
