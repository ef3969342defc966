"""Bringing the database to a revision of its schema, and back; from anywhere, without Alembic's ini file."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from migrations.connection import locked_connection
from migrations.live_tables import check_no_others
from runtime.settings import Settings


async def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the database up to a revision; all of it or nothing. Two at once take turns.

    Raise `Misconfigured` where that would change tables of which there is more than one generation.
    """
    wanted = newest_revision() if revision == "head" else revision
    await _run(settings, wanted, lambda config: command.upgrade(config, revision))


async def downgrade(settings: Settings, revision: str) -> None:
    """Bring the database down to a revision (`base`: no table is left); all of it or nothing."""
    await _run(settings, revision, lambda config: command.downgrade(config, revision))


def newest_revision() -> str:
    """The revision that this version of the services needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise RuntimeError("the package holds no migrations")
    return head


async def revision_of(connection: AsyncConnection) -> str | None:
    """The revision that a database is at; None before the first migration."""
    return await connection.run_sync(current_revision)


def current_revision(connection: Connection) -> str | None:
    """The same on a connection that does not wait."""
    return MigrationContext.configure(connection).get_current_revision()


async def _run(settings: Settings, wanted: str, work: Callable[[Config], None]) -> None:
    def on(connection: Connection) -> None:
        if current_revision(connection) == wanted:
            return
        check_no_others(connection)
        config = _config()
        config.attributes["connection"] = connection
        work(config)

    async with locked_connection(settings) as connection:
        await connection.run_sync(on)


def _config() -> Config:
    config = Config()
    # The ini format takes a percent sign in a path for a placeholder.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
