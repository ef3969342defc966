"""`setup`: what has to be there before the first process starts."""

from migrations.run import newest_revision, upgrade
from runtime.log_setup import LogIdentity, create_log
from runtime.settings import Settings


async def set_up(settings: Settings) -> str:
    """Migrate the database and make the log; what is there is left alone. Two at once are harmless."""
    await upgrade(settings)
    log: LogIdentity = await create_log(settings)
    return f"database at revision {newest_revision()}, log {log.log_id} with {log.partitions} partitions"
