"""Generations that are dropped, switched and moved under those who work with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from command_api.decider.owner import PartitionOwner
from command_api.decider.requests import PartitionIdentity
from command_api.decider.snapshot import Switched, Wanted
from command_api.lookup import Found, find_outcome
from events.record import NewRecord
from events.shapes import utc_text
from migrations.check import check_migrated
from migrations.run import downgrade, upgrade
from projectors import generations
from projectors.errors import Broken
from projectors.forgetting import forget_projections
from projectors.generations import PROJECTIONS, GenerationError
from projectors.rebuild import rebuilding
from projectors.repair import NotRepairable, repair
from projectors.schema.generations import tables_of
from projectors.verify import verify
from read_api.database import Database
from read_api.part import read_api_part
from read_api.routes import router
from runtime.health import Health
from runtime.postgres import create_engine
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured
from runtime.topics import Topics
from runtime.web import build_app
from server.setup import set_up
from tests.audits import commands_of
from tests.integration.test_rebuild import a_life
from tests.libraries import client_of
from tests.projecting import (
    OUTCOMES,
    answer,
    append,
    caught_up,
    events_log,
    fetch,
    fresh_log,
    outcomes_log,
    projecting,
    until,
)
from tests.services import Services
from tests.tokens import signed_tokens_part

LIVE = "UPDATE generations SET turn = 100 + number WHERE projection = '{}' AND number = 2"


@pytest.fixture
async def settings(services: Services) -> AsyncIterator[Settings]:
    async with fresh_log(services, log_partitions=1) as settings:
        yield settings


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own."""
    pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
    try:
        yield pg
    finally:
        await pg.close()


async def rebuilt(settings: Settings, projection: str) -> None:
    """Make generation 2."""
    async with rebuilding(settings, projection) as work:
        assert (await work.rebuild(None)).findings.differences == []


async def wait_for_locks(settings: Settings, many: int) -> None:
    """Until so many statements wait for a lock."""
    statement = """
    SELECT count(DISTINCT l.pid) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
     WHERE NOT l.granted AND a.datname = current_database()
    """

    async def do_wait() -> bool:
        return await fetch(settings, statement) == [(many,)]

    await until(do_wait)


async def projected(settings: Settings) -> str:
    """A team with events, outcomes, a refusal and origins, all of them projected; its id."""
    events, outcomes = await events_log(settings), await outcomes_log(settings)
    team = a_life(events)
    # Else the purge would leave nothing to compare.
    now = utc_text(datetime.now(UTC))
    for command_id in commands_of(events.scribe.records):
        answer(outcomes.scribe, team_id=team, command_id=command_id, recorded_at=now)
    refused = {"recorded_at": now, "status": "rejected", "answer": {"code": "name_taken", "detail": "no"}}
    answer(outcomes.scribe, team_id=team, **refused)
    ends = [await events.publish(), await outcomes.publish()]
    origins = [
        NewRecord(key=team.encode(), value=b"{}", headers={"actor": b"ada", "address": b"10.0.0.1"})
        for _ in range(ends[1])
    ]
    await append(settings, Topics(settings.topic_prefix).commands, 0, origins)
    async with projecting(settings):
        await caught_up(settings, ends[0])
        await caught_up(settings, ends[1], OUTCOMES)
        await caught_up(settings, len(origins), "origins")
    return team


async def test_everything_works_where_no_first_generation_is_left(settings: Settings) -> None:
    team = await projected(settings)
    app = build_app("read", settings, [router], [signed_tokens_part, read_api_part])
    async with projecting(settings), app.router.lifespan_context(app), client_of(app) as client:

        async def shown() -> list[Any]:
            urls = (f"/api/v1/teams/{team}/{name}" for name in ("audit", "audit/refusals", "changes"))
            answers = [await client.get(url) for url in urls]
            assert [one.status_code for one in answers] == [200, 200, 200], [one.text for one in answers]
            return [one.json() for one in answers]

        before = await shown()
        assert [one["sequence"] for one in before[0]["entries"] if not one["origin"]] == []
        assert [one["origin"]["address"] for one in before[1]["refusals"]] == ["10.0.0.1"]
        for projection in PROJECTIONS:
            async with rebuilding(settings, projection) as work:
                compared = await work.rebuild(None)
                assert compared.findings.differences == []
                await work.switch(compared, accept_difference=False)
                assert await shown() == before
                await work.drop(1)
                assert await shown() == before
    assert await fetch(settings, "SELECT to_regclass('public.checkpoints')") == [(None,)]
    assert (await verify(settings)).is_equal
    await check_comments(settings)
    await set_up(settings)
    await fetch(settings, "UPDATE library_2.heads SET state = '{}' WHERE stream = 'team'")
    assert [one.table for one in await repair(settings, team, "team", lambda *_: None)] == ["heads"]
    async with connected(settings) as pg:
        # One that a rebuild was killed before it had any tables.
        await generations.begin(pg, "library")
    await forget_projections(settings)
    assert await fetch(settings, "SELECT count(*) FROM library_2.history") == [(0,)]


async def check_comments(settings: Settings) -> None:
    """A later generation's tables say what the first one's said."""
    wanted: set[tuple[Any, ...]] = set()
    for projection in PROJECTIONS:
        for table in tables_of(projection):
            schema = f"{projection}_2"
            wanted |= {(schema, table.name, None, table.comment)}
            wanted |= {(schema, table.name, one.name, one.comment) for one in table.columns if one.comment}
    statement = """
    SELECT relnamespace::regnamespace::text, relname::text, attname::text, description
      FROM pg_description AS d JOIN pg_class AS c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
      LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = nullif(objsubid, 0)
     WHERE relnamespace::regnamespace::text LIKE '%\\_2'
    """
    assert set(await fetch(settings, statement)) == wanted


async def test_who_waits_for_a_table_that_is_dropped_goes_on_with_the_live_one(settings: Settings) -> None:
    team = await projected(settings)
    command_id = str((await fetch(settings, "SELECT command_id FROM outcomes LIMIT 1"))[0][0])
    async with projecting(settings):
        await rebuilt(settings, "outcomes")
    engine = create_engine(settings, "test")
    here = PartitionIdentity(log_id="", partition=0, partitions=1)
    owner = PartitionOwner(settings, engine, Health(), None, here)  # type: ignore[arg-type]
    database = Database(engine)
    await database.follow()
    async with connected(settings) as pg:
        transaction = pg.transaction()
        await transaction.start()
        await pg.execute("DROP TABLE public.outcomes, public.refusals, public.decider_positions")
        waiting = [
            asyncio.create_task(find_outcome(engine, team, command_id)),
            asyncio.create_task(database.rows("SELECT FROM outcomes")),
            asyncio.create_task(owner._read(Wanted())),
        ]
        await wait_for_locks(settings, len(waiting))
        await pg.execute(LIVE.format("outcomes"))
        await transaction.commit()
    found, rows, snapshot = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found, Found), found
    assert found.outcome.command_id == command_id
    assert isinstance(rows, list)
    assert rows
    assert isinstance(snapshot, Switched)
    await engine.dispose()


async def test_a_generation_that_becomes_live_meanwhile_is_not_dropped(settings: Settings) -> None:
    team = await projected(settings)
    async with projecting(settings):
        await rebuilt(settings, "library")
    async with connected(settings) as pg:
        transaction = pg.transaction()
        await transaction.start()
        await pg.execute(LIVE.format("library"))
        await pg.execute("SELECT FROM checkpoints FOR UPDATE")

        async def drop() -> None:
            async with rebuilding(settings, "library") as work:
                await work.drop(2)

        waiting = [
            asyncio.create_task(drop()),
            asyncio.create_task(repair(settings, team, "team", lambda *_: None)),
        ]
        await wait_for_locks(settings, len(waiting))
        await transaction.commit()
    dropped, repaired = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(dropped, GenerationError)
    assert "is live" in str(dropped)
    assert isinstance(repaired, NotRepairable)
    assert "became live" in str(repaired)
    assert (await verify(settings)).is_equal


async def test_a_log_that_cannot_be_followed_is_named(settings: Settings) -> None:
    log = await events_log(settings)
    log.scribe.counting(NewRecord(key=b"x", value=b"garbage", headers={}))
    await log.publish()
    async with rebuilding(settings, "library") as work:
        with pytest.raises(Broken, match="offset 2"):
            await work.rebuild(None)


@pytest.mark.parametrize("moved", [("library",), PROJECTIONS])
async def test_migrations_bring_live_tables_home_and_refuse_while_there_are_others(
    settings: Settings, moved: tuple[str, ...]
) -> None:
    await projected(settings)
    for projection in moved:
        async with projecting(settings), rebuilding(settings, projection) as work:
            compared = await work.rebuild(None)
            await work.switch(compared, accept_difference=False)
            with pytest.raises(Misconfigured, match=f"not live: {projection} 1; drop them first"):
                await downgrade(settings, "0005")
            await work.drop(1)
    # A projector that had not noticed yet: it finds no checkpoint, and begins.
    kept = await fetch(settings, "SELECT count(*) FROM library_2.history")
    if "outcomes" not in moved:
        values = "('library', 0, 0, 0, '', 0, (SELECT log_id FROM library_2.checkpoints LIMIT 1))"
        await fetch(settings, f"INSERT INTO public.checkpoints VALUES {values}")
    await downgrade(settings, "0005")
    assert await fetch(settings, "SELECT count(*) FROM history") == kept
    assert len(await fetch(settings, "SELECT FROM checkpoints")) == len(PROJECTIONS)
    await upgrade(settings)
    await check_migrated(settings)
    assert (await verify(settings)).is_equal
    await downgrade(settings, "base")
    await upgrade(settings)
