"""Generations: the fillings of a projection's tables, each in a schema of its own, and which one is live.

    begin ─► filling ─► fed ─► dropped        live: the one that was switched to last

A generation that a command works on is _held_ by an advisory lock, which ends with the command however that
ends. Projectors feed every generation that is fed and not held.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from asyncpg import Connection

from projectors import library, origins, outcomes
from runtime.postgres import create_engine, driver
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured

PROJECTIONS = (library.NAME, outcomes.NAME, origins.NAME)
_LOCK = 0x5041_5447
"""The class of our advisory locks: `PATG` in ASCII."""
_FIRST_SCHEMA = "public"

_LIST = """
SELECT projection, number, schema_name, state, turn, turn = max(turn) OVER (PARTITION BY projection),
       EXISTS (SELECT FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
                WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted
                  AND l.objsubid = 2 AND l.classid = $1
                  AND l.objid = (1000000 * (array_position($2::text[], projection) - 1) + number)::oid)
  FROM public.generations ORDER BY projection, number
"""

_BEGIN = """
INSERT INTO public.generations (projection, number, schema_name, state)
SELECT $1, max(number) + 1, $1 || '_' || (max(number) + 1), 'filling'
  FROM public.generations WHERE projection = $1
RETURNING number
"""

_SWITCH = """
UPDATE public.generations
   SET turn = (SELECT max(turn) + 1 FROM public.generations WHERE projection = $1)
 WHERE projection = $1 AND number = $2
"""


class GenerationError(Misconfigured):
    """A generation is not there, or not in the state for what is asked of it."""


class State(StrEnum):
    """What becomes of a generation's tables."""

    FILLING = "filling"
    FED = "fed"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Generation:
    """One filling of a projection's tables. Of several that were live, the last has the highest `turn`."""

    projection: str
    number: int
    schema: str
    state: State
    turn: int
    is_live: bool
    is_held: bool

    @property
    def name(self) -> str:
        """What logs, metrics and health call it: the first one bears its projection's name."""
        return self.projection if self.number == 1 else f"{self.projection}_{self.number}"

    @property
    def lock(self) -> int:
        """The key of its advisory lock."""
        return 1_000_000 * PROJECTIONS.index(self.projection) + self.number


async def load_generations(pg: Connection, projection: str | None = None) -> list[Generation]:
    """Every generation that ever was, of one projection or of all."""
    return [
        Generation(
            projection=of,
            number=number,
            schema=schema,
            state=State(state),
            turn=turn,
            is_live=is_live,
            is_held=is_held,
        )
        for of, number, schema, state, turn, is_live, is_held in await pg.fetch(
            _LIST, _LOCK, list(PROJECTIONS)
        )
        if projection in (None, of)
    ]


async def live(pg: Connection, projection: str) -> Generation:
    """The live generation of a projection."""
    return next(one for one in await load_generations(pg, projection) if one.is_live)


async def live_schema(settings: Settings, projection: str) -> str:
    """Where the tables of a projection's live generation are."""
    engine = create_engine(settings, "patternlog-generations")
    try:
        async with driver(engine) as pg:
            return (await live(pg, projection)).schema
    finally:
        await engine.dispose()


async def existing(pg: Connection, projection: str, number: int) -> Generation:
    """A generation that has tables; raise `GenerationError`."""
    for one in await load_generations(pg, projection):
        if one.number == number and one.state is not State.DROPPED:
            return one
    raise GenerationError(f"{projection} has no generation {number}")


async def begin(pg: Connection, projection: str) -> Generation:
    """The generation that is being filled, a new one if there is none."""
    async with pg.transaction():
        await lock_all(pg, projection)
        for one in await load_generations(pg, projection):
            if one.state is State.FILLING:
                return one
        number = await pg.fetchval(_BEGIN, projection)
    return await existing(pg, projection, number)


async def set_state(pg: Connection, generation: Generation, state: State) -> None:
    """Say what becomes of a generation."""
    await pg.execute(
        "UPDATE public.generations SET state = $3 WHERE projection = $1 AND number = $2",
        *(generation.projection, generation.number, state.value),
    )


async def give_up(pg: Connection, generation: Generation) -> None:
    """Say that a generation's tables are to be dropped; raise `GenerationError` for those of the live one.

    A switch has its turn before or after, never meanwhile.
    """
    async with pg.transaction():
        await lock_all(pg, generation.projection)
        if (await live(pg, generation.projection)).number == generation.number:
            raise GenerationError(
                f"generation {generation.number} of {generation.projection} is live: "
                "switch to another one first"
            )
        await set_state(pg, generation, State.DROPPED)


async def lock_all(pg: Connection, projection: str) -> None:
    """Until the transaction ends, no other one changes what becomes of a projection's generations."""
    await pg.execute("SELECT FROM public.generations WHERE projection = $1 FOR UPDATE", projection)


async def make_live(pg: Connection, generation: Generation) -> None:
    """Switch to a generation: one row changes, and whoever looks from then on sees it as the live one."""
    await pg.execute(_SWITCH, generation.projection, generation.number)


@asynccontextmanager
async def held(pg: Connection, generation: Generation) -> AsyncIterator[None]:
    """Keep a generation to oneself: no projector feeds it, a moment after, and no other command works on it.

    Raise `GenerationError` when another one does, or has changed what becomes of it.
    """
    if not await pg.fetchval("SELECT pg_try_advisory_lock($1::int, $2::int)", _LOCK, generation.lock):
        raise GenerationError(
            f"another command works on generation {generation.number} of {generation.projection}"
        )
    try:
        known = await load_generations(pg, generation.projection)
        if not any(one.number == generation.number and one.state is generation.state for one in known):
            raise GenerationError(
                f"another command has changed generation {generation.number} of {generation.projection}"
            )
        yield
    finally:
        if not pg.is_closed():
            await pg.execute("SELECT pg_advisory_unlock($1::int, $2::int)", _LOCK, generation.lock)
