"""Forgetting every projection, so that projectors make them anew from the log."""

from projectors.generations import State, load_generations
from projectors.schema.generations import tables_of
from projectors.transaction import transaction
from runtime.postgres import create_engine
from runtime.settings import Settings

_ARE_THERE = "SELECT count(to_regclass(name)) > 0 FROM unnest($1::text[]) AS name"


async def forget_projections(settings: Settings) -> None:
    """Empty the tables that the log fills again, all or nothing; what is in Postgres alone stays.

    Heads come from their topic; alarms stay until an operator clears them.

    A projector that runs finds its checkpoint gone and begins anew; a decider takes its partition anew.
    """
    engine = create_engine(settings, "patternlog-forget")
    try:
        async with transaction(engine) as pg:
            for one in await load_generations(pg):
                names = [f"{one.schema}.{table.name}" for table in tables_of(one.projection)]
                # One whose filling has just begun may have no tables yet.
                if one.state is not State.DROPPED and await pg.fetchval(_ARE_THERE, names):
                    await pg.execute(f"TRUNCATE {', '.join(names)}")
            await pg.execute("TRUNCATE public.tree_heads, public.tree_keys, public.tree_head_positions")
    finally:
        await engine.dispose()
