"""Proofs in a log of a million events, and what keeping its tree costs."""

import asyncio
import json
import time
import uuid
from random import Random

import asyncpg

from benchmarks.commands import bearer
from benchmarks.connection import Connection
from benchmarks.running import services, stack
from benchmarks.statistics import Report
from evidence.merkle import hash_leaf
from evidence.tiles import Edges
from projectors.chain import TeamLog
from projectors.library import NAME
from projectors.rows import Row
from projectors.team_logs import save_logs
from projectors.tree import load_edges, save_tree

EVENTS = 1_000_000
PROOFS = 500
SINGLE = 500
TEAM, LOG_ID = str(uuid.UUID(int=1, version=4)), str(uuid.UUID(int=2, version=4))

_TOUCH = "UPDATE projected_logs SET event_count = event_count + 1 WHERE team_id = $1"


def prove(report: Report) -> None:
    """All of it, on a stack of its own."""
    with (
        stack() as running,
        services(running, "command-api", "decider", "read-api", prefix="proofs") as started,
    ):
        asyncio.run(_fill(report, running.postgres_dsn))
        latencies, sizes = asyncio.run(_proofs(started.url("read-api")))
        for label, share in (("p50", 0.5), ("p99", 0.99)):
            report.add("inclusion proof", label, [sorted(latencies)[int(PROOFS * share)] * 1000], "ms")
        report.add("inclusion proof", "largest answer", [float(max(sizes))], "bytes")
        asyncio.run(_single(report, running.postgres_dsn))


async def _fill(report: Report, dsn: str) -> None:
    edges = Edges()
    began = time.perf_counter()
    for number in range(EVENTS):
        edges.add(hash_leaf(number.to_bytes(8, "big")))
    report.add("tree", "leaves hashed and added", [EVENTS / (time.perf_counter() - began)], "events/s")
    pg = await asyncpg.connect(dsn)
    async with pg.transaction():
        await _save(pg, edges)
        log = TeamLog(last_sequence=EVENTS, event_count=EVENTS)
        await save_logs(pg, NAME, 0, LOG_ID, {TEAM: log})
    await pg.close()


async def _save(pg: asyncpg.Connection, edges: Edges) -> None:
    tiles: list[Row] = [(TEAM, at.level, at.index, hashes) for at, hashes in edges.completed()]
    changed: list[Row] = [(TEAM, at.level, at.index, hashes) for at, hashes in edges.changed()]
    await save_tree(pg, tiles, changed)


async def _proofs(url: str) -> tuple[list[float], list[int]]:
    connection, random = Connection(url, bearer()), Random(1)
    latencies, sizes = [], []
    for _ in range(PROOFS):
        query = f"sequence={random.randint(1, EVENTS)}&size={EVENTS}"
        began = time.perf_counter()
        status, body = await connection.request("GET", f"/api/v1/teams/{TEAM}/audit/proofs/inclusion?{query}")
        latencies.append(time.perf_counter() - began)
        sizes.append(len(body))
        if status != 200 or not json.loads(body)["path"]:
            raise RuntimeError(f"{status}: {body[:300]!r}")
    connection.close()
    return latencies, sizes


async def _single(report: Report, dsn: str) -> None:
    """Transactions that add one leaf, over two tiles, beside such that do nothing."""
    pg = await asyncpg.connect(dsn)
    empty, adding = [], []
    for number in range(SINGLE):
        began = time.perf_counter()
        async with pg.transaction():
            await pg.execute(_TOUCH, TEAM)
        empty.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        async with pg.transaction():
            await pg.execute(_TOUCH, TEAM)
            edges = (await load_edges(pg, [TEAM]))[TEAM]
            edges.add(hash_leaf(number.to_bytes(8, "big")))
            await _save(pg, edges)
        adding.append((time.perf_counter() - began) * 1000)
    await pg.close()
    plain = report.add("a transaction with one event", "checkpoint alone", empty, "ms")
    report.add("a transaction with one event", "the tree's part", [one - plain for one in adding], "ms")
