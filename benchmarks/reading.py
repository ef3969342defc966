"""Projection, visibility and pulls."""

import asyncio
import io
import json
import time
from collections.abc import Callable

import asyncpg

from benchmarks.commands import TEAMS, batch, bearer, record_pattern
from benchmarks.connection import Connection
from benchmarks.running import services, stack
from benchmarks.statistics import Report
from benchmarks.writing import RUNS
from devstack.services import Services
from devstack.stack import DevStack

EVENTS = 30_000
PULLED = 20_000
PAGE = 5_000
VISIBLE = 300
TABLES = ("heads", "names", "patterns", "changes", "history")


def read(report: Report) -> None:
    """All of it, on a stack of its own."""
    with stack() as running, services(running, "command-api", "decider", prefix="projection") as started:
        # It warms the broker up, too.
        asyncio.run(fill(started.url("command-api"), EVENTS))
        _project(report, running, started)
        started.start("read-api")
        _visible(report, started)
        _pull(report, started)


async def fill(url: str, patterns: int) -> None:
    """Record so many patterns, 500 to a request."""
    make, size = batch(500), 500
    connection = Connection(url, bearer())
    for number in range(-(-patterns // size)):
        path, body = make(number)
        status, answer = await connection.request("POST", path, body)
        if status != 200:
            raise RuntimeError(f"{status}: {answer[:300]!r}")
    connection.close()


def _project(report: Report, running: DevStack, started: Services) -> None:
    rate = asyncio.run(_projection_rate(running.postgres_dsn, lambda: started.start("projector")))
    copied = [asyncio.run(_copy_rate(running.postgres_dsn, EVENTS)) for _ in range(RUNS)]
    copy_rate = report.add("COPY of the same rows", "rate", copied, "events/s")
    report.add_beside("projection", "all read models", [rate], "events/s", "COPY", copy_rate)


async def _projection_rate(dsn: str, start: Callable[[], None]) -> float:
    """Events per second from the first visible batch to the last, without the process's start."""
    connection = await asyncpg.connect(dsn)
    starting = asyncio.get_running_loop().run_in_executor(None, start)
    first = await _reached(connection, 1)
    began = time.perf_counter()
    last = await _reached(connection, EVENTS)
    seconds = time.perf_counter() - began
    await starting
    await connection.close()
    return (last - first) / seconds


async def projected(dsn: str, events: int) -> None:
    """Wait until so many events are projected."""
    connection = await asyncpg.connect(dsn)
    await _reached(connection, events)
    await connection.close()


async def _reached(connection: asyncpg.Connection, goal: int) -> int:
    while (count := await _projected(connection)) < goal:  # noqa: ASYNC110 - another process projects
        await asyncio.sleep(0.005)
    return count


async def _projected(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT coalesce(sum(event_count), 0) FROM projected_logs"))


async def _copy_rate(dsn: str, events: int) -> float:
    connection = await asyncpg.connect(dsn)
    rows = {}
    for table in TABLES:
        rows[table] = io.BytesIO()
        await connection.copy_from_table(table, output=rows[table])
        await connection.execute(f"CREATE TABLE copy_of_{table} (LIKE {table} INCLUDING ALL)")
    began = time.perf_counter()
    for table, data in rows.items():
        data.seek(0)
        await connection.copy_to_table(f"copy_of_{table}", source=data)
    seconds = time.perf_counter() - began
    for table in TABLES:
        await connection.execute(f"DROP TABLE copy_of_{table}")
    await connection.close()
    return events / seconds


def _visible(report: Report, started: Services) -> None:
    latencies = sorted(asyncio.run(_write_and_see(started)))
    for label, share in (("p50", 0.5), ("p99", 0.99)):
        report.add("write to visible", label, [latencies[int(len(latencies) * share)] * 1000], "ms")


async def _write_and_see(started: Services) -> list[float]:
    writing = Connection(started.url("command-api"), bearer())
    reading = Connection(started.url("read-api"), bearer())
    latencies = []
    for number in range(VISIBLE):
        team, command = f"/api/v1/teams/{TEAMS[number % len(TEAMS)]}", record_pattern()
        began = time.perf_counter()
        _, answer = await writing.request("POST", f"{team}/commands", json.dumps(command).encode())
        cursor = json.loads(answer)["cursor"]
        status, _ = await reading.request("GET", f"{team}/patterns/{command['pattern_id']}?at_least={cursor}")
        if status != 200:
            raise RuntimeError(f"not visible: {status}")
        latencies.append(time.perf_counter() - began)
    return latencies


def _pull(report: Report, started: Services) -> None:
    asyncio.run(_fill_one_team(started.url("command-api")))
    asyncio.run(_pull_once(started))
    rates = [asyncio.run(_pull_once(started)) for _ in range(RUNS)]
    report.add("pull from nothing", f"{PULLED} patterns", rates, "patterns/s")


async def _fill_one_team(url: str) -> None:
    connection = Connection(url, bearer())
    for _ in range(PULLED // 500):
        body = json.dumps({"commands": [record_pattern() for _ in range(500)]}).encode()
        await connection.request("POST", f"/api/v1/teams/{TEAMS[0]}/commands", body)
    connection.close()


async def _pull_once(started: Services) -> float:
    connection = Connection(started.url("read-api"), bearer())
    cursor, pulled = "", 0
    began = time.perf_counter()
    while pulled < PULLED:
        status, body = await connection.request(
            "GET", f"/api/v1/teams/{TEAMS[0]}/changes?limit={PAGE}{cursor}"
        )
        if status != 200:
            raise RuntimeError(f"{status}: {body[:300]!r}")
        page = json.loads(body)
        pulled += len(page["changes"])
        cursor = f"&cursor={page['cursor']}"
    seconds = time.perf_counter() - began
    connection.close()
    return pulled / seconds
