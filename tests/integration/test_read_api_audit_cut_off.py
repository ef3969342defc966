"""An export during which Postgres dies: its client cannot take it for whole."""

import asyncio
import json
import uuid
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from devstack.stack import DevStack
from runtime.log_setup import check_log
from tests.audits import fill_audit
from tests.databases import variables_of
from tests.processes import running, until_ready
from tests.projecting import lasting_log
from tests.services import Services
from tests.tokens import bearer

ROWS = 200_000
"""More than what lies between the server's statements and a client that has read the beginning."""


@pytest.mark.timeout(300)
async def test_an_export_that_postgres_dies_in_ends_as_cut_off(devstack: DevStack, tmp_path: Path) -> None:
    team = str(uuid.uuid4())
    async with lasting_log(Services.of_stack(devstack)) as settings:
        pg = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
        await fill_audit(pg, team, (await check_log(settings)).log_id, ROWS)
        await pg.close()
        arguments = ["-m", "server", "serve", "read-api"]
        async with running(arguments, tmp_path, variables_of(settings)) as process:
            url = await until_ready(process)
            try:
                lines = await exported(f"{url}/api/v1/teams/{team}/audit/export", devstack)
            finally:
                devstack.postgres.start()
    assert set(lines[-1]) == {"cut_off"}
    count = lines[-1]["cut_off"]["count"]
    assert [line["sequence"] for line in lines[:-1]] == list(range(1, count + 1))
    assert 0 < count < ROWS


async def exported(url: str, devstack: DevStack) -> list[dict[str, Any]]:
    """The lines that came until the answer broke off, of which Postgres saw the first ones only."""
    received = b""
    async with (
        httpx.AsyncClient(headers={"Authorization": bearer("ada")}, timeout=60) as client,
        client.stream("GET", url) as answer,
    ):
        parts = answer.aiter_raw()
        received += await anext(parts)
        await asyncio.to_thread(devstack.postgres.kill)
        try:
            async for part in parts:
                received += part
        except httpx.RemoteProtocolError:
            pass
        else:
            pytest.fail("it ended as if it were whole")
    return [json.loads(line) for line in received.splitlines()]
