"""Alembic's environment: the project's metadata, on a connection that is given or made from the settings."""

import asyncio

from alembic import context
from sqlalchemy import Connection

from migrations.connection import locked_connection
from migrations.live_tables import check_no_others, work_on_live_tables
from projectors.schema.tables import metadata
from runtime.settings import Settings


def migrate(connection: Connection) -> None:
    """Run the asked-for migrations in the transaction that the connection is in."""
    work_on_live_tables(connection)
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_by_settings() -> None:
    """What the `alembic` command does: connect as the services do."""
    async with locked_connection(Settings()) as connection:
        await connection.run_sync(check_no_others)
        await connection.run_sync(migrate)


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(migrate_by_settings())
else:
    migrate(given)
