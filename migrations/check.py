"""Whether the database is at the revision that this version of the services was made for."""

from migrations.run import newest_revision, revision_of
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured


async def check_migrated(settings: Settings) -> None:
    """Raise `Misconfigured` unless the database is at the newest revision."""
    engine = create_engine(settings, "patternlog-check")
    try:
        async with engine.connect() as connection:
            found = await revision_of(connection)
    finally:
        await engine.dispose()
    needed = newest_revision()
    if found != needed:
        raise Misconfigured(
            f"the database is at revision {found or 'none'} and this version needs {needed}: "
            "run `patternlog setup`"
        )
