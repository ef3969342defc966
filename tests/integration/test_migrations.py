"""The migrations make the schema that the code works on, and can be taken back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import ARRAY, Column, Connection, Table, func, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine

from migrations.check import check_migrated
from migrations.run import downgrade, newest_revision, revision_of, upgrade
from projectors.generations import PROJECTIONS
from projectors.schema.tables import metadata
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured
from tests.databases import fresh_database, settings_for
from tests.services import Services

ID = "01890a5d-ac96-774b-bcce-b302099a8057"
SAMPLES: dict[type, Any] = {
    bytes: b"x",
    str: "text",
    int: 1,
    bool: False,
    datetime: datetime(2026, 1, 2, tzinfo=UTC),
}


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_database(services) as dsn:
        yield settings_for(services, dsn)


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(settings, "test")
    yield engine
    await engine.dispose()


async def test_an_empty_database_becomes_the_one_that_the_code_works_on(
    settings: Settings, engine: AsyncEngine
) -> None:
    await upgrade(settings)
    async with engine.connect() as connection:
        differences = await connection.run_sync(_differences)
        migrated = await connection.run_sync(_described)
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        assert migrated == await connection.run_sync(_described)
    assert differences == []


async def test_every_table_can_hold_rows_be_taken_down_and_come_back(
    settings: Settings, engine: AsyncEngine
) -> None:
    await upgrade(settings)
    await _fill(engine)
    assert await _rows(engine) == _each(1)
    await downgrade(settings, "base")
    async with engine.connect() as connection:
        assert await revision_of(connection) is None
        assert await connection.run_sync(_tables) == {"alembic_version"}
    await upgrade(settings)
    assert await _rows(engine) == _each(0)
    await _fill(engine)


async def test_upgrading_again_keeps_what_is_there(settings: Settings, engine: AsyncEngine) -> None:
    await upgrade(settings)
    await _fill(engine)
    await upgrade(settings)
    assert await _rows(engine) == _each(1)


async def test_several_upgrades_at_once_take_turns(settings: Settings, engine: AsyncEngine) -> None:
    await asyncio.gather(*(upgrade(settings) for _ in range(4)))
    async with engine.connect() as connection:
        assert await revision_of(connection) == newest_revision()


async def test_a_migration_that_fails_leaves_nothing_behind(settings: Settings, engine: AsyncEngine) -> None:
    last = metadata.tables["decider_positions"]
    async with engine.begin() as connection:
        await connection.run_sync(last.create)
    with pytest.raises(Exception, match="already exists"):
        await upgrade(settings)
    async with engine.connect() as connection:
        assert await connection.run_sync(_tables) == {last.name}


async def test_a_service_starts_on_a_migrated_database_alone(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match=r"is at revision none .* run `patternlog setup`"):
        await check_migrated(settings)
    await upgrade(settings)
    await check_migrated(settings)


async def test_a_service_refuses_a_database_that_a_newer_version_has_migrated(
    settings: Settings, engine: AsyncEngine
) -> None:
    await upgrade(settings)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="is at revision 9999"):
        await check_migrated(settings)


def _differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, metadata))


def _described(connection: Connection) -> dict[str, Any]:
    """What autogenerate passes over: collations, the names of keys, the kinds of indexes."""
    look = inspect(connection)
    return {
        name: {
            "columns": {
                column["name"]: (
                    repr(column["type"]),
                    column["nullable"],
                    column["comment"],
                )
                for column in look.get_columns(name)
            },
            "key": look.get_pk_constraint(name),
            "indexes": sorted(look.get_indexes(name), key=lambda index: str(index["name"])),
            "comment": look.get_table_comment(name),
        }
        for name in sorted(_tables(connection) - {"alembic_version"})
    }


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def _fill(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for table in metadata.sorted_tables:
            await connection.execute(insert(table).values(_row(table)))


def _row(table: Table) -> dict[str, Any]:
    return {column.name: _sample(column) for column in table.columns}


def _sample(column: Column[Any]) -> Any:
    if isinstance(column.type, ARRAY):
        return []
    if str(column.type) == "UUID":
        return ID
    return SAMPLES[column.type.python_type]


def _each(rows: int) -> dict[str, int]:
    """So many rows in every table, beside the first generations that are always there."""
    return {
        table.name: rows + len(PROJECTIONS) * (table.name == "generations")
        for table in metadata.sorted_tables
    }


async def _rows(engine: AsyncEngine) -> dict[str, int]:
    async with engine.connect() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
        }
