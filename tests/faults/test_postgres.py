"""Postgres goes away, or comes back as it was before."""

import asyncio

import asyncpg
import httpx
import pytest
import stamina

from projectors.schema.tables import metadata
from tests.faults.conftest import Deploy, Deployment
from tests.tokens import bearer

pytestmark = pytest.mark.timeout(400)

AWAY_S = 20.0


async def test_without_postgres_commands_are_accepted_and_answered_when_it_is_back(deploy: Deploy) -> None:
    async with deploy() as deployment:
        await deployment.workload.acknowledge_more(20)
        deployment.stack.postgres.kill()
        await asyncio.sleep(AWAY_S)  # how long the outage lasts
        await _is_accepted(deployment)
        deployment.stack.postgres.start()
        await deployment.workload.acknowledge_more(20)
        await deployment.check()


async def test_postgres_restored_to_an_earlier_state_under_a_running_decider(deploy: Deploy) -> None:
    async with deploy() as deployment:
        await deployment.workload.acknowledge_more(40)
        connection = await asyncpg.connect(deployment.settings.postgres_dsn.get_secret_value())
        try:
            await _back_up(connection)
            await deployment.workload.acknowledge_more(60)
            await _restore(connection)
            await deployment.workload.acknowledge_more(60)
        finally:
            await connection.close()
        await deployment.check()


async def _is_accepted(deployment: Deployment) -> None:
    team = "0198c0de-0000-7000-8000-00000000000a"
    async with httpx.AsyncClient(
        base_url=deployment.workload.url, headers={"Authorization": bearer("writer")}
    ) as client:
        command = {"type": "create_team", "name": "T", "command_id": "0198c0de-0000-7000-8000-00000000000b"}
        response = await client.post(
            f"/api/v1/teams/{team}/commands", json=command, headers={"Prefer": "respond-async"}
        )
    assert response.status_code == 202


async def _back_up(connection: asyncpg.Connection) -> None:
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute("CREATE SCHEMA backup")
        for table in metadata.tables:
            await connection.execute(f"CREATE TABLE backup.{table} AS TABLE public.{table}")


async def _restore(connection: asyncpg.Connection) -> None:
    tables = ", ".join(f"public.{table}" for table in metadata.tables)
    # Whoever reads several tables may hold one that is wanted here, and want one that is held here.
    async for attempt in stamina.retry_context(on=asyncpg.DeadlockDetectedError, attempts=20):
        with attempt:
            async with connection.transaction():
                await connection.execute(f"TRUNCATE {tables}")
                for table in metadata.tables:
                    await connection.execute(f"INSERT INTO public.{table} SELECT * FROM backup.{table}")
