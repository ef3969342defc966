"""The commands that rebuild: killed at several points, beside a whole deployment, and with Postgres away."""

import asyncio
import uuid
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from projectors import filling
from projectors.rebuild import rebuilding
from projectors.verify import verify
from runtime.settings import Settings
from server.setup import set_up
from tests.databases import fresh_database, settings_for, variables_of
from tests.everything import everything
from tests.integration.test_rebuild import a_life
from tests.processes import running
from tests.projecting import caught_up, events_log, fetch, fresh_log, projecting, until
from tests.proxy import proxy_to
from tests.services import Services


async def command(settings: Settings, folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command to its end; its exit code, and what it said."""
    async with running(["-m", "server", *arguments], folder, variables_of(settings)) as process:
        code, errors = await process.end()
        return code, "".join(process.lines) + errors


async def filled(settings: Settings) -> int:
    """How many events the second generation shows."""
    if await fetch(settings, "SELECT WHERE to_regclass('library_2.projected_logs') IS NULL"):
        return 0
    rows = await fetch(settings, "SELECT coalesce(sum(event_count), 0) FROM library_2.projected_logs")
    return int(rows[0][0])


async def test_a_rebuild_that_is_killed_again_and_again_ends_equal(
    services: Services, tmp_path: Path
) -> None:
    async with fresh_log(services) as settings, projecting(settings):
        log = await events_log(settings)
        team = a_life(log)
        for _ in range(60):
            a_life(log, team)
        await caught_up(settings, await log.publish())
        for point in (0, 1, 1_001):
            slow = ["-m", "server", "rebuild", "library", "--throttle", "1000"]
            async with running(slow, tmp_path, variables_of(settings)) as process:

                async def has_come(point: int = point) -> bool:
                    begun = await fetch(settings, "SELECT FROM generations WHERE number = 2")
                    return bool(begun) and await filled(settings) >= point

                await until(has_come)
                process.process.kill()
                await process.process.wait()
        code, said = await command(settings, tmp_path, "rebuild", "library", "--switch")
        assert (code, "Generation 2 is live" in said) == (0, True), said
        assert (await verify(settings)).is_equal


_IN_PROCESSES = """
import sys
from projectors import filling
from server.command_line import app
filling._WORTH_PROCESSES = 1
app(sys.argv[1:])
"""


async def test_a_rebuild_in_processes_that_is_killed_leaves_none_behind_and_ends_equal(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh_log(services) as settings, projecting(settings):
        for partition in range(2):
            log = await events_log(settings, partition)
            team = a_life(log)
            for _ in range(60):
                a_life(log, team)
            await caught_up(settings, await log.publish(), partition=partition)
        slow = ["-c", _IN_PROCESSES, "rebuild", "library", "--throttle", "1000"]
        async with running(slow, tmp_path, variables_of(settings)) as process:

            async def both_have_come() -> bool:
                begun = await fetch(settings, "SELECT FROM generations WHERE number = 2")
                return bool(begun) and await partitions_begun(settings) == 2

            await until(both_have_come)
            children = psutil.Process(process.process.pid).children(recursive=True)
            assert children
            process.process.kill()
            await process.process.wait()

        async def are_gone() -> bool:
            return not any(child.is_running() for child in children)

        await until(are_gone)
        monkeypatch.setattr(filling, "_WORTH_PROCESSES", 1)
        async with rebuilding(settings, "library") as work:
            assert (await work.rebuild(None)).is_equal


async def partitions_begun(settings: Settings) -> int:
    """Of how many partitions the second generation shows events."""
    if await fetch(settings, "SELECT WHERE to_regclass('library_2.projected_logs') IS NULL"):
        return 0
    rows = await fetch(settings, "SELECT count(DISTINCT partition) FROM library_2.projected_logs")
    return int(rows[0][0])


async def test_commands_are_decided_once_across_switches_of_both_projections(
    services: Services, tmp_path: Path
) -> None:
    async with fresh_database(services) as dsn:
        settings = settings_for(services, dsn)
        await set_up(settings)
        team = str(uuid.uuid4())
        async with everything(settings, tmp_path) as all_:
            await all_.submit(team, {"type": "create_team", "name": "ours"})
            accepted = 0
            switching = True

            async def write() -> None:
                nonlocal accepted
                while switching:
                    # The same name again is refused, whichever generation tells who holds it.
                    for expected in (200, 409):
                        body = {"type": "record_pattern", "pattern_id": str(uuid.uuid4())}
                        answer = await all_.submit(team, {**body, "fields": {"name": f"n{accepted}"}})
                        assert answer.status_code == expected, answer.text
                    accepted += 1

            writing = asyncio.create_task(write())
            try:
                for step in (
                    ("rebuild", "library", "--switch"),
                    ("rebuild", "outcomes", "--switch"),
                    ("generations", "back", "library"),
                    ("generations", "drop", "library", "2"),
                ):
                    code, said = await command(settings, tmp_path, *step)
                    assert code == 0, said
            finally:
                switching = False
                await writing
        assert accepted > 0
        report = await verify(settings)
        assert (report.differences, report.events) == ([], accepted + 1)


async def test_a_rebuild_waits_while_postgres_is_away(services: Services) -> None:
    url = make_url(services.postgres_dsn)
    async with fresh_log(services) as settings, proxy_to(str(url.host), url.port or 5432) as proxy:
        dsn = make_url(settings.postgres_dsn.get_secret_value()).set(host="127.0.0.1", port=proxy.port)
        through = settings.model_copy(
            update={"postgres_dsn": SecretStr(dsn.render_as_string(hide_password=False))}
        )
        log = await events_log(settings)
        team = a_life(log)
        for _ in range(60):
            a_life(log, team)
        async with projecting(settings):
            await caught_up(settings, await log.publish())

            async def rebuild() -> bool:
                async with rebuilding(through, "library") as work:
                    return (await work.rebuild(1_000.0)).is_equal

            rebuilt = asyncio.create_task(rebuild())

            async def has_begun() -> bool:
                return await filled(settings) > 0

            await until(has_begun)
            await proxy.cut()
            await proxy.mend()
            await asyncio.wait([rebuilt])
            # The connection that held its lock is gone: it says so, and goes on when it is run again.
            assert rebuilt.exception() is not None or rebuilt.result()
            async with rebuilding(settings, "library") as work:
                assert (await work.rebuild(None)).is_equal
