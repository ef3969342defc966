"""Secrets are rotated under load, and no request fails: in Postgres, in Redis, in a mounted file."""

import asyncio
import base64
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr
from redis.asyncio import Redis

from runtime.health import Health
from runtime.secrets.redis_client import create_redis
from runtime.secrets.reloading import SettingsSource
from server.setup import set_up
from tests.commands import command_id
from tests.databases import fresh_database, settings_for, variables_of
from tests.notarizing import story
from tests.processes import running, until_ready
from tests.projecting import fetch
from tests.roles import dsn_of, role_with_password
from tests.services import Services
from tests.tokens import bearer
from tests.waiting import eventually

FAST = {"postgres_pool_recycle_s": 1, "postgres_pool_size": 2, "secrets_reload_s": 3600}


def put(folder: Path, name: str, value: str) -> None:
    """Replace a mounted file at one go."""
    (folder / "new").write_text(value)
    (folder / "new").rename(folder / name)


def headers() -> dict[str, str]:
    return {"Authorization": bearer("ada"), "Prefer": "respond-async"}


class Load:
    """Writes and reads without a pause."""

    def __init__(self, client: httpx.AsyncClient, team_id: str) -> None:
        self._client = client
        self._url = f"/api/v1/teams/{team_id}"
        self.answers = Counter[int]()
        self.bad: list[str] = []

    async def work(self) -> None:
        while True:
            command = {
                "command_id": command_id(),
                "type": "record_pattern",
                "pattern_id": str(uuid.uuid4()),
                "fields": {"name": str(uuid.uuid4())},
            }
            written = await self._client.post(f"{self._url}/commands", json=command)
            read = await self._client.get(f"{self._url}/changes")
            self.answers.update([written.status_code, read.status_code])
            self.bad += [a.text for a in (written, read) if a.status_code == 503]

    async def some_more(self) -> None:
        goal = self.answers.total() + 60

        async def done() -> bool:
            return self.answers.total() >= goal

        await eventually(done, within=60)


@asynccontextmanager
async def under_load(client: httpx.AsyncClient, team_id: str) -> AsyncIterator[Load]:
    load = Load(client, team_id)
    workers = [asyncio.create_task(load.work()) for _ in range(4)]
    try:
        await load.some_more()
        yield load
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def test_the_password_of_postgres_is_rotated_under_load_and_no_request_fails(
    services: Services, tmp_path: Path
) -> None:
    async with fresh_database(services) as dsn, role_with_password(dsn, "first") as role:
        settings = settings_for(services, dsn)
        await set_up(settings)
        mounted = tmp_path / "mounted"
        mounted.mkdir()
        put(mounted, "PATTERNLOG_POSTGRES_DSN", dsn_of(dsn, role.name, "first"))
        variables = variables_of(settings) | FAST | {"secrets_dir": mounted}
        del variables["postgres_dsn"]
        async with (
            running(["-m", "server", "serve", "gateway"], tmp_path, variables) as process,
            httpx.AsyncClient(base_url=await until_ready(process), headers=headers(), timeout=60) as client,
        ):
            async with under_load(client, str(uuid.uuid4())) as load:
                put(mounted, "PATTERNLOG_POSTGRES_DSN", dsn_of(dsn, role.name, "second"))
                process.process.send_signal(signal.SIGHUP)
                await process.line_with("secrets rotated")
                # The secret is new and the role is not yet.
                await load.some_more()
                await role.set_password("second")
                since = asyncio.get_running_loop().time()
                await load.some_more()

                async def follows() -> bool:
                    return await role.oldest_connection_age_s() < asyncio.get_running_loop().time() - since

                await eventually(follows, within=60)
                await load.some_more()
            # Accepted, and (as Postgres says) of a team that there is not: no 503 is among them.
            assert set(load.answers) == {202, 404}, load.bad[:3]
            assert (await client.get("/health/ready")).status_code == 200
            assert await process.end(by=signal.SIGTERM) == (0, "")
    said = "".join(process.lines)
    assert "first@" not in said
    assert "second@" not in said


async def test_a_broken_file_is_told_and_what_was_in_force_stays(services: Services, tmp_path: Path) -> None:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        mounted = tmp_path / "mounted"
        mounted.mkdir()
        put(mounted, "PATTERNLOG_POSTGRES_DSN", dsn)
        variables = variables_of(settings) | {"secrets_dir": mounted, "secrets_reload_s": 0.05}
        del variables["postgres_dsn"]
        async with running(["-m", "server", "serve", "read-api"], tmp_path, variables) as process:
            url = await until_ready(process)
            put(mounted, "PATTERNLOG_POSTGRES_DSN", "canary-7f3a")
            await process.line_with("secrets not reloaded")
            async with httpx.AsyncClient(base_url=url) as client:
                ready = await client.get("/health/ready")
                assert ready.status_code == 200
                assert "PATTERNLOG_POSTGRES_DSN" in ready.json()["parts"]["secrets"]
                metrics = (await client.get("/metrics")).text
                assert 'patternlog_part_ready{part="secrets"} 0.0' in metrics
                assert 'patternlog_secret_reloads_total{result="refused"}' in metrics
                put(mounted, "PATTERNLOG_POSTGRES_DSN", dsn)
                await process.line_with("remark taken back")
                assert "secrets" not in (await client.get("/health/ready")).json()["parts"]
            code, errors = await process.end(by=signal.SIGTERM)
        assert (code, errors) == (0, "")
        assert "canary-7f3a" not in "".join(process.lines) + metrics + ready.text


async def test_new_connections_to_redis_use_the_password_in_force(services: Services) -> None:
    user = f"rotating-{uuid.uuid4().hex}"
    async with Redis.from_url(services.redis_url) as owner:
        await owner.acl_setuser(user, enabled=True, passwords=["+first"], commands=["+ping", "+client"])
        place = services.redis_url.removeprefix("redis://")
        settings = settings_for(services, services.postgres_dsn).model_copy(
            update={"redis_url": SecretStr(f"redis://{user}:first@{place}")}
        )
        loaded = settings.model_copy(update={"redis_url": SecretStr(f"redis://{user}:second@{place}")})
        source = SettingsSource(settings, lambda: loaded)
        try:
            async with create_redis(source.current()) as client:
                await client.ping()
                await owner.acl_setuser(user, enabled=True, reset=False, passwords=["-first", "+second"])
                assert await source.reload(Health())
                await client.connection_pool.disconnect()
                await client.ping()
        finally:
            await owner.acl_deluser(user)


async def test_a_new_signing_key_signs_without_a_restart(services: Services, tmp_path: Path) -> None:
    seeds = [base64.b64encode(bytes(range(n, n + 32))).decode() for n in (0, 1)]
    async with story(services) as log:
        mounted = tmp_path / "mounted"
        mounted.mkdir()
        put(mounted, "PATTERNLOG_TREE_HEAD_KEYS", "")
        variables = variables_of(log.settings) | {"secrets_dir": mounted, "secrets_reload_s": 0.05}
        del variables["tree_head_keys"]

        async def keys() -> int:
            return len(await fetch(log.settings, "SELECT FROM tree_keys"))

        async with running(["-m", "server", "serve", "projector"], tmp_path, variables) as process:
            await until_ready(process)
            put(mounted, "PATTERNLOG_TREE_HEAD_KEYS", "no seed")
            await process.line_with("secrets not reloaded")
            for count, seed in enumerate((seeds[0], ",".join(seeds)), start=1):
                put(mounted, "PATTERNLOG_TREE_HEAD_KEYS", seed)

                async def announced(count: int = count) -> bool:
                    return await keys() == count

                await eventually(announced)
            assert await process.end(by=signal.SIGTERM) == (0, "")
        assert seeds[0] not in "".join(process.lines)
