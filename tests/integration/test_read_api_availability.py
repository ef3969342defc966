"""With Postgres away, slow or restarted, reads end in a problem in time, and go on by themselves."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from runtime.settings import Settings
from tests.libraries import LibraryRows, ReadApi, running_read_api
from tests.proxy import Proxy, proxy_to
from tests.services import Services
from tests.waiting import eventually

UNAVAILABLE = (503, "database_unavailable")


@pytest.fixture
async def proxy(services: Services) -> AsyncIterator[Proxy]:
    url = make_url(services.postgres_dsn)
    async with proxy_to(str(url.host), url.port or 5432) as proxy:
        yield proxy


def impatient(settings: Settings, proxy: Proxy) -> Settings:
    """Settings that lead through the proxy, with time-outs that a test can wait for."""
    dsn = make_url(settings.postgres_dsn.get_secret_value()).set(host="127.0.0.1", port=proxy.port)
    return settings.model_copy(
        update={
            "postgres_dsn": SecretStr(dsn.render_as_string(hide_password=False)),
            "postgres_pool_size": 2,
            "postgres_pool_overflow": 0,
            "postgres_pool_timeout_s": 5.0,
            "postgres_connect_timeout_s": 5.0,
            "postgres_statement_timeout_s": 1.0,
        }
    )


@pytest.fixture
async def api(services: Services, proxy: Proxy) -> AsyncIterator[ReadApi]:
    async with running_read_api(services, lambda settings: impatient(settings, proxy)) as api:
        yield api


@pytest.fixture
async def library(api: ReadApi) -> LibraryRows:
    library = await api.new_library()
    await library.record("one")
    return library


async def reads(api: ReadApi, library: LibraryRows) -> list[tuple[int, str]]:
    """What became of some reads at once, more than there are connections."""
    answers = await asyncio.gather(*(api.client.get(f"{library.url}/changes") for _ in range(6)))
    return [(answer.status_code, answer.json().get("code", "")) for answer in answers]


async def readiness(api: ReadApi) -> tuple[int, str]:
    answer = await api.client.get("/health/ready")
    return answer.status_code, answer.json()["parts"]["postgres"]


async def test_reads_fail_in_time_while_postgres_is_away_and_go_on_when_it_is_back(
    api: ReadApi, library: LibraryRows, proxy: Proxy
) -> None:
    assert await reads(api, library) == [(200, "")] * 6
    await proxy.cut()
    assert await reads(api, library) == [UNAVAILABLE] * 6
    answer = await api.client.get(f"{library.url}/patterns")
    assert answer.headers["retry-after"] == "1"
    await proxy.mend()
    assert await reads(api, library) == [(200, "")] * 6


async def test_health_says_so_while_postgres_is_away(api: ReadApi, proxy: Proxy) -> None:
    async def is_ready() -> bool:
        return await readiness(api) == (200, "ok")

    async def is_not_ready() -> bool:
        status, reason = await readiness(api)
        return status == 503 and reason != "ok"

    await eventually(is_ready)
    await proxy.cut()
    await eventually(is_not_ready)
    assert (await api.client.get("/health/live")).status_code == 200
    await proxy.mend()
    await eventually(is_ready)


async def test_a_network_that_swallows_everything_ends_in_a_problem_and_not_in_silence(
    api: ReadApi, library: LibraryRows, proxy: Proxy
) -> None:
    assert await reads(api, library) == [(200, "")] * 6
    proxy.stall()
    async with asyncio.timeout(30):
        assert await reads(api, library) == [UNAVAILABLE] * 6
    await proxy.mend()

    async def works() -> bool:
        return await reads(api, library) == [(200, "")] * 6

    await eventually(works)


async def test_connections_that_postgres_ended_while_idle_are_replaced_without_a_failed_read(
    api: ReadApi, library: LibraryRows, proxy: Proxy
) -> None:
    assert await reads(api, library) == [(200, "")] * 6
    before = proxy.connections
    ended = await api.pg.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'patternlog-read-api'"
    )
    assert len(ended) == 2

    async def are_gone() -> bool:
        return not before & proxy.connections

    await eventually(are_gone)
    # The API's side sees the end in one of the loop's next turns.
    await asyncio.sleep(0.05)
    assert await reads(api, library) == [(200, "")] * 6


async def test_a_statement_that_takes_too_long_is_given_up(api: ReadApi, library: LibraryRows) -> None:
    async with api.pg.transaction():
        await api.pg.execute("LOCK TABLE changes IN ACCESS EXCLUSIVE MODE")
        assert await reads(api, library) == [UNAVAILABLE] * 6
    assert await reads(api, library) == [(200, "")] * 6


async def test_a_client_that_waits_for_a_cursor_is_told_when_postgres_goes_away(
    api: ReadApi, library: LibraryRows, proxy: Proxy
) -> None:
    asked = api.cursor(library, library.sequence + 1)
    waiting = asyncio.create_task(api.problem(f"{library.url}/changes", at_least=asked, timeout=30))
    await asyncio.wait([waiting], timeout=0.2)
    assert not waiting.done()
    await proxy.cut()
    assert await waiting == UNAVAILABLE
    await proxy.mend()
    written = await library.record("two")
    body = await api.get(f"{library.url}/changes", at_least=asked)
    assert body["changes"][-1] == written.document
