"""Forgetting every projection, so that projectors make them anew from the log."""

from projectors.transaction import transaction
from runtime.postgres import create_engine
from runtime.settings import Settings

_TABLES = (
    *("checkpoints", "projected_logs", "heads", "names", "patterns", "changes", "history", "conflicts"),
    *("audit", "outcomes", "refusals", "decider_positions", "origins"),
)


async def forget_projections(settings: Settings) -> None:
    """Empty the tables that the log fills again, all or nothing; what is in Postgres alone stays.

    A projector that runs finds its checkpoint gone and begins anew; a decider takes its partition anew.
    """
    engine = create_engine(settings, "patternlog-forget")
    try:
        async with transaction(engine) as pg:
            await pg.execute(f"TRUNCATE {', '.join(_TABLES)}")
    finally:
        await engine.dispose()
