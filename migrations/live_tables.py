"""Migrations change the live generation of each projection, by the plain names of its tables."""

from sqlalchemy import Connection, inspect, text

from runtime.startup_failures import Misconfigured

_OTHERS = """
SELECT string_agg(projection || ' ' || number, ', ' ORDER BY projection, number) FROM (
    SELECT *, turn = max(turn) OVER (PARTITION BY projection) AS is_live FROM public.generations
) AS known WHERE state <> 'dropped' AND NOT is_live
"""
_LIVE = """
SELECT DISTINCT ON (projection) schema_name FROM public.generations ORDER BY projection, turn DESC
"""


def work_on_live_tables(connection: Connection) -> None:
    """Let plain names mean the live tables until the transaction ends; new tables are then made beside them.

    The library's come first: a revision that makes a table for another projection has to name its schema.
    """
    if not inspect(connection).has_table("generations", schema="public"):
        return
    live = connection.execute(text(_LIVE)).scalars().all()
    path = ", ".join(dict.fromkeys([*live, "public"]))
    connection.execute(text(f"SET LOCAL search_path TO {path}"))


def check_no_others(connection: Connection) -> None:
    """Raise `Misconfigured` while there are generations that are not live: they would not be migrated."""
    if not inspect(connection).has_table("generations", schema="public"):
        return
    others = connection.execute(text(_OTHERS)).scalar_one()
    if others:
        raise Misconfigured(
            f"the database is to be migrated, and there are generations that are not live: {others}; "
            "drop them first (`patternlog generations drop`)"
        )
