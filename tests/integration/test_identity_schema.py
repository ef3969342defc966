"""The revisions make the tables of identity that the code works on."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect

from identity.schema.columns import SCHEMA
from identity.schema.tables import metadata
from migrations.run import downgrade, upgrade
from runtime.postgres import create_engine
from tests.databases import fresh_database, settings_for
from tests.services import Services


def is_of_identity(name: str | None, kind: str, _: object) -> bool:
    return kind != "schema" or name == SCHEMA


def differences(connection: Connection) -> list[Any]:
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_schemas": True,
        "include_name": is_of_identity,
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def described(connection: Connection) -> dict[str, Any]:
    """What the comparison passes over: collations, comments, names of keys and constraints."""
    look = inspect(connection)
    return {
        name: {
            "columns": [
                (column["name"], repr(column["type"]), column["nullable"], column["comment"])
                for column in sorted(look.get_columns(name, SCHEMA), key=lambda column: column["name"])
            ],
            "key": look.get_pk_constraint(name, SCHEMA),
            "foreign": look.get_foreign_keys(name, SCHEMA),
            "unique": look.get_unique_constraints(name, SCHEMA),
            "indexes": sorted(look.get_indexes(name, SCHEMA), key=lambda index: str(index["name"])),
            "comment": look.get_table_comment(name, SCHEMA),
        }
        for name in look.get_table_names(SCHEMA)
    }


async def test_a_migrated_database_has_the_tables_of_the_code_and_can_be_taken_down(
    services: Services,
) -> None:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await upgrade(settings)
        engine = create_engine(settings, "test")
        try:
            async with engine.connect() as connection:
                assert await connection.run_sync(differences) == []
                migrated = await connection.run_sync(described)
                await connection.run_sync(metadata.drop_all)
                await connection.run_sync(metadata.create_all)
                assert await connection.run_sync(described) == migrated
                assert "users" in migrated
            await downgrade(settings, "base")
            async with engine.connect() as connection:
                assert SCHEMA not in await connection.run_sync(lambda sync: inspect(sync).get_schema_names())
            await upgrade(settings)
        finally:
            await engine.dispose()
