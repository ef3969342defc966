"""A projection rebuilt beside its live generation: filled, compared with it, switched to, dropped."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from asyncpg import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from projectors import filling, generations, library, origins, outcomes
from projectors.checkpoints import Checkpoint, load
from projectors.filling import Progress
from projectors.findings import Difference, Findings
from projectors.generation_comparison import compare_generations
from projectors.generation_tables import create_tables, drop_tables, finish_tables
from projectors.generations import Generation, GenerationError, State
from runtime.postgres import create_engine, driver
from runtime.settings import Settings

_TRIES_S = 60.0
_HOLD_S = 1.0
"""Less than the time after which a projector ends the session that holds its checkpoint."""
_POLL_S = 0.02

Report = Callable[[str, Progress], None]


class Different(GenerationError):
    """A generation is not equal to the live one, and nobody has accepted that."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A generation beside the live one, at the same place of the log."""

    generation: Generation
    live: Generation
    findings: Findings

    @property
    def is_equal(self) -> bool:
        """Whether every row is the same."""
        return self.findings.difference_count == 0


class Rebuilding:
    """What can be done with the generations of one projection."""

    def __init__(self, settings: Settings, projection: str, pg: Connection, report: Report) -> None:
        self._settings = settings
        self._projection = projection
        self._pg = pg
        self._report = report

    async def rebuild(self, per_second: float | None) -> Compared:
        """Fill a new generation, or go on with the one that is being filled, and compare it.

        Projectors feed it from then on, equal or not. Raise `GenerationError` if another command does it.
        """
        generation = await generations.begin(self._pg, self._projection)
        async with generations.held(self._pg, generation):
            await create_tables(self._pg, self._projection, generation.schema)
            ends = await filling.ends_of(self._settings, self._projection)
            await self._fill(generation, ends, "filling", per_second)
            await self._finish(generation)
            await self._fill(
                generation, await filling.ends_of(self._settings, self._projection), "catching up"
            )
            compared = await self._compare(generation)
            await generations.set_state(self._pg, generation, State.FED)
        return compared

    async def compare(self, number: int) -> Compared:
        """Compare a generation with the live one; projectors let it be meanwhile."""
        generation = await self._other(number)
        if generation.state is not State.FED:
            raise GenerationError(
                f"generation {number} of {self._projection} is not filled yet: rebuild goes on"
            )
        async with generations.held(self._pg, generation):
            return await self._compare(generation)

    async def switch(self, compared: Compared, *, accept_difference: bool) -> None:
        """Let the compared generation be the live one, as soon as it is at or past the live one everywhere.

        Raise `Different`, or `GenerationError` when no projector brings it that far in time.
        """
        if not compared.is_equal and not accept_difference:
            raise Different(
                f"generation {compared.generation.number} of {self._projection} is not equal to the live one"
            )
        deadline = asyncio.get_running_loop().time() + _TRIES_S
        while not await self._try_switch(compared):
            if asyncio.get_running_loop().time() > deadline:
                raise GenerationError(
                    f"generation {compared.generation.number} of {self._projection} is behind the live one: "
                    "does a projector run?"
                )
            await asyncio.sleep(_HOLD_S / 2)

    async def drop(self, number: int) -> None:
        """Drop a generation that is not live; what still reads it finds the live one."""
        generation = next(
            (
                one
                for one in await generations.load_generations(self._pg, self._projection)
                if one.number == number
            ),
            None,
        )
        if generation is None:
            raise GenerationError(f"{self._projection} has no generation {number}")
        async with generations.held(self._pg, generation):
            await generations.give_up(self._pg, generation)
            known = await generations.load_generations(self._pg)
            alone = not any(one.number == 1 and one.state is not State.DROPPED for one in known)
            await drop_tables(self._pg, generation, alone=alone)

    async def back(self) -> int:
        """The number of the generation that was live before."""
        known = await generations.load_generations(self._pg, self._projection)
        before = [one for one in known if not one.is_live and one.turn > 0 and one.state is State.FED]
        if not before:
            raise GenerationError(f"{self._projection} has no generation that was live before")
        return max(before, key=lambda one: one.turn).number

    async def _other(self, number: int) -> Generation:
        generation = await generations.existing(self._pg, self._projection, number)
        if generation.is_live:
            raise GenerationError(f"generation {number} of {self._projection} is the live one")
        return generation

    async def _fill(
        self, generation: Generation, until: Mapping[int, int], what: str, per_second: float | None = None
    ) -> None:
        await filling.fill(
            self._settings, generation.schema, self._projection, until,
            per_second=per_second, report=lambda progress: self._report(what, progress),
        )  # fmt: skip

    async def _finish(self, generation: Generation) -> None:
        engine = filling.engine_of(self._settings, generation.schema)
        try:
            await finish_tables(engine, self._projection, generation.schema)
        finally:
            await engine.dispose()

    async def _compare(self, generation: Generation) -> Compared:
        """Bring the generation to where a snapshot of the live one stands, and compare the two."""
        deadline = asyncio.get_running_loop().time() + _TRIES_S
        engine = create_engine(self._settings, "patternlog-compare", statement_timeout="0")
        try:
            while True:
                live = await generations.live(self._pg, self._projection)
                async with _snapshot(engine) as live_pg:
                    goal = await _checkpoints(live_pg, live, self._settings.log_partitions)
                    await self._fill(generation, _offsets(goal), "catching up")
                    async with _snapshot(engine) as pg:
                        reached = await _checkpoints(pg, generation, self._settings.log_partitions)
                        # A projector that has not let go yet may have brought it further than that.
                        if _offsets(reached) == _offsets(goal):
                            findings = await compare_generations(
                                live_pg, live, pg, generation, _purged(self._settings, self._projection)
                            )
                            for partition in goal:
                                if goal[partition] != reached[partition]:
                                    findings.add(
                                        Difference(table="checkpoints", key=str(partition), kind="altered")
                                    )
                            return Compared(generation=generation, live=live, findings=findings)
                if asyncio.get_running_loop().time() > deadline:
                    raise GenerationError(
                        f"generation {generation.number} of {self._projection} is ahead of the live one: "
                        "does a projector run?"
                    )
                await asyncio.sleep(_HOLD_S / 2)
        finally:
            await engine.dispose()

    async def _try_switch(self, compared: Compared) -> bool:
        """Keep the live checkpoints where they are for a moment; switch when the other's are there, too."""
        target, live = compared.generation, compared.live
        deadline = asyncio.get_running_loop().time() + _HOLD_S
        async with self._pg.transaction():
            await generations.lock_all(self._pg, self._projection)
            if (await generations.live(self._pg, self._projection)).number != live.number:
                raise GenerationError("another generation became live meanwhile")
            if (await generations.existing(self._pg, self._projection, target.number)).state is not State.FED:
                raise GenerationError(f"generation {target.number} of {self._projection} is not filled")
            await self._pg.execute(
                f"SELECT FROM {live.schema}.checkpoints WHERE projection = $1 FOR UPDATE",
                self._projection,
            )
            goal = await _checkpoints(self._pg, live, self._settings.log_partitions)
            while not _is_at_or_past(
                await _checkpoints(self._pg, target, self._settings.log_partitions), goal
            ):
                if asyncio.get_running_loop().time() > deadline:
                    return False
                await asyncio.sleep(_POLL_S)
            await generations.make_live(self._pg, target)
        return True


@asynccontextmanager
async def rebuilding(
    settings: Settings, projection: str, report: Report = lambda _, __: None
) -> AsyncIterator[Rebuilding]:
    """The generations of a projection, to be worked on over one connection, which holds its locks."""
    if projection not in generations.PROJECTIONS:
        raise GenerationError(f"there is no projection {projection}: {' or '.join(generations.PROJECTIONS)}")
    engine = create_engine(settings, "patternlog-rebuild", statement_timeout="0")
    try:
        async with driver(engine) as pg:
            yield Rebuilding(settings, projection, pg, report)
    finally:
        await engine.dispose()


def _purged(settings: Settings, projection: str) -> datetime | None:
    """The time before which a projection's rows may be gone; None where they stay."""
    if projection == library.NAME:
        return None
    kept = timedelta(days=settings.origin_retention_days) if projection == origins.NAME else outcomes.KEPT
    return datetime.now(UTC) - kept


@asynccontextmanager
async def _snapshot(engine: AsyncEngine) -> AsyncIterator[Connection]:
    async with driver(engine) as pg, pg.transaction(isolation="repeatable_read", readonly=True):
        yield pg


async def _checkpoints(pg: Connection, generation: Generation, partitions: int) -> dict[int, Checkpoint]:
    await pg.execute(f"SET search_path TO {generation.schema}")
    found = {partition: await load(pg, generation.projection, partition) for partition in range(partitions)}
    return {partition: checkpoint for partition, checkpoint in found.items() if checkpoint is not None}


def _offsets(checkpoints: Mapping[int, Checkpoint]) -> dict[int, int]:
    return {partition: checkpoint.next_offset for partition, checkpoint in checkpoints.items()}


def _is_at_or_past(ours: Mapping[int, Checkpoint], theirs: Mapping[int, Checkpoint]) -> bool:
    return all(p in ours and ours[p].next_offset >= theirs[p].next_offset for p in theirs)
