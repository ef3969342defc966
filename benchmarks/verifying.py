"""Proof of the read models: the sums of hashes, a sample of rows, and all of them."""

import asyncio
import time

from aiokafka import TopicPartition
from pydantic import SecretStr

from benchmarks.reading import fill, projected
from benchmarks.running import PARTITIONS, services, stack
from benchmarks.statistics import Report
from benchmarks.writing import RUNS
from devstack.stack import DevStack
from projectors import verify as proof
from projectors.reader import open_reader, read_bounds
from projectors.replay import Extent, replay
from projectors.sample import Rows, Sample
from runtime.collecting import seldom_collecting
from runtime.log_setup import check_log
from runtime.settings import Settings
from runtime.topics import Topics

EVENTS = 60_000
_PREFIX = "verifying"


def verify(report: Report) -> None:
    """All of it, on a stack of its own."""
    with (
        stack() as running,
        services(running, "command-api", "decider", "projector", prefix=_PREFIX) as started,
    ):
        asyncio.run(fill(started.url("command-api"), EVENTS))
        asyncio.run(projected(running.postgres_dsn, EVENTS))
        started.close()
        _measure(report, _settings(running))


def _measure(report: Report, settings: Settings) -> None:
    with seldom_collecting():
        raw = report.add("raw read", "rate", [asyncio.run(_raw(settings)) for _ in range(RUNS)], "records/s")
        for rows in Rows:
            rates = [asyncio.run(_verified(settings, rows)) for _ in range(RUNS)]
            report.add_beside("verify", f"rows {rows.value}", rates, "events/s", "raw read", raw)
        rates = [asyncio.run(_replayed(settings)) for _ in range(RUNS)]
        report.add_beside("replay", "whole log", rates, "events/s", "raw read", raw)


def _settings(running: DevStack) -> Settings:
    return Settings(
        kafka_bootstrap=running.kafka_bootstrap,
        postgres_dsn=SecretStr(running.postgres_dsn),
        topic_prefix=_PREFIX,
        log_partitions=int(PARTITIONS),
    )


async def _raw(settings: Settings) -> float:
    """Records per second of a consumer that looks at nothing, one partition after the other."""
    topic = Topics(settings.topic_prefix).events
    seen, began = 0, time.perf_counter()
    for partition in range(settings.log_partitions):
        at = TopicPartition(topic, partition)
        async with open_reader(settings, "bench", at) as reader:
            end = (await read_bounds(reader, topic, [partition]))[partition].end
            reader.seek(at, 0)
            while int(await reader.position(at)) < end:
                seen += sum(map(len, (await reader.getmany(at, timeout_ms=1000, max_records=2000)).values()))
    return seen / (time.perf_counter() - began)


async def _verified(settings: Settings, rows: Rows) -> float:
    sample = Sample(share=0.05, seed="bench") if rows is Rows.SAMPLE else None
    began = time.perf_counter()
    report = await proof.verify(settings, rows=rows, sample=sample)
    seconds = time.perf_counter() - began
    if not report.is_equal:
        raise RuntimeError(f"{report.faults} {report.differences[:3]}")
    return report.events / seconds


async def _replayed(settings: Settings) -> float:
    log_id = (await check_log(settings)).log_id
    began = time.perf_counter()
    replayed = await replay(settings, [log_id], Extent(), lambda *_: None)
    return replayed.types.total() / (time.perf_counter() - began)
